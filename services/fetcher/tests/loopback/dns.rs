//! A name server on loopback that says what it is told to (RFC 1035), truth or not.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex},
    thread,
};

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
const SERVFAIL: u8 = 2;
const NXDOMAIN: u8 = 3;

/// What is said of a name.
#[derive(Debug, Clone)]
pub enum Said {
    /// These addresses; nothing to who asks for the other family's.
    At(Vec<IpAddr>),
    /// That it is another name for something, with what is said of that.
    Alias(&'static str, Box<Said>),
    /// That there is no such name.
    Nobody,
    /// That the answer cannot be had.
    Failure,
    /// Nothing.
    Silence,
}

/// A name server, up until its process ends.
pub struct Dns {
    pub address: SocketAddr,
    asked: Arc<Mutex<HashMap<(String, u16), usize>>>,
}

pub fn at(addresses: &[&str]) -> Said {
    Said::At(addresses.iter().map(|address| address.parse().unwrap()).collect())
}

impl Dns {
    /// Answers by name and how often it was asked for before (each family of addresses on its own). Nothing it says is to
    /// be remembered.
    pub fn start(says: impl Fn(&str, usize) -> Said + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(HashMap::new()));
        let log = asked.clone();
        thread::spawn(move || {
            let mut packet = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut packet) {
                let Some((name, family, question)) = question(&packet[..length]) else { continue };
                let before = {
                    let mut log = log.lock().unwrap();
                    let count: &mut usize = log.entry((name.clone(), family)).or_default();
                    std::mem::replace(count, *count + 1)
                };
                if let Some(answer) = answer(&packet[..2], question, &name, family, &says(&name, before)) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Self { address, asked }
    }

    /// How often the addresses (v4) of a name were asked for.
    pub fn asked(&self, name: &str) -> usize {
        self.asked.lock().unwrap().get(&(name.to_owned(), A)).copied().unwrap_or(0)
    }
}

/// The name asked for, the type, and the question as it stands.
fn question(packet: &[u8]) -> Option<(String, u16, &[u8])> {
    let mut labels: Vec<String> = Vec::new();
    let mut at = 12;
    loop {
        let length = usize::from(*packet.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(packet.get(at..at + length)?).to_ascii_lowercase());
        at += length;
    }
    let family = u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]);
    Some((labels.join("."), family, packet.get(12..at + 4)?))
}

fn answer(id: &[u8], question: &[u8], name: &str, family: u16, said: &Said) -> Option<Vec<u8>> {
    let mut records: Vec<Vec<u8>> = Vec::new();
    let (mut owner, mut said) = (name, said);
    while let Said::Alias(target, of_it) = said {
        records.push(record(owner, CNAME, &encoded(target)));
        (owner, said) = (target, of_it);
    }
    let code = match said {
        Said::At(addresses) => {
            for address in addresses {
                match (family, address) {
                    (A, IpAddr::V4(v4)) => records.push(record(owner, A, &v4.octets())),
                    (AAAA, IpAddr::V6(v6)) => records.push(record(owner, AAAA, &v6.octets())),
                    _ => {}
                }
            }
            0
        }
        Said::Nobody => NXDOMAIN,
        Said::Failure => SERVFAIL,
        Said::Silence | Said::Alias(..) => return None,
    };
    // A response, recursion desired and available; one question, so many answers.
    let counts = [1, records.len() as u16, 0, 0].map(u16::to_be_bytes).concat();
    Some([id, &[0x81, 0x80 | code], &counts, question, &records.concat()].concat())
}

/// Of class IN, to be forgotten at once.
fn record(owner: &str, family: u16, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u16).to_be_bytes();
    [&encoded(owner), &family.to_be_bytes()[..], &[0, 1, 0, 0, 0, 0], &length, data].concat()
}

fn encoded(name: &str) -> Vec<u8> {
    let label = |label: &str| [&[label.len() as u8], label.as_bytes()].concat();
    name.split('.').flat_map(label).chain([0]).collect()
}
