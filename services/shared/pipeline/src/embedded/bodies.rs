//! Bodies: values too large for the database, in files beside it.
//!
//! The database writes what it gets at least twice, into its journal and into a table, and has it in memory between. A
//! body is written once, as it came, to the end of its topic's newest file, before the commit that its row is part of;
//! the row says where it stands. A file is named by an offset: it has the bodies of that record and of those after it, up
//! to the next file's name. It is deleted when these records are, and there is a next one.
//!
//! What was written for a commit that never came about stands where no row points to. Where commits are not synced, a
//! machine that loses its power can keep a row and lose its body: the checksum tells.

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, ErrorKind, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use prost::Message;
use xxhash_rust::xxh3::xxh3_64;

use super::unpoisoned;

/// Values of this size and more are bodies.
pub(super) const BODY_BYTES: usize = 4096;

/// A file of so many bytes gets no more. A small one is deleted soon after it was read, often before it is on the disk.
const FILE_BYTES: u64 = 16 << 20;

/// Bodies are written in pieces of so many bytes: for one of these the system takes half the time that it takes for each
/// body by itself.
const PIECE_BYTES: usize = 512 << 10;

/// Where a body stands, in the file of its record's offset.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Place {
    #[prost(uint64, tag = "1")]
    position: u64,
    #[prost(uint64, tag = "2")]
    pub(super) length: u64,
    /// xxh3 of the body.
    #[prost(fixed64, tag = "3")]
    checksum: u64,
}

/// The bodies of all topics. One thread writes.
pub(super) struct Bodies {
    folder: PathBuf,
    fsync: bool,
    topics: Mutex<HashMap<String, Files>>,
}

/// The files of a topic.
struct Files {
    folder: PathBuf,
    names: BTreeSet<i64>,
    /// Of the newest. A failure to write loses it: what the file has then is looked at again.
    end: Option<End>,
    /// The one that was read last, by name.
    read: Option<(i64, Arc<File>)>,
}

/// Where a file is written to.
struct End {
    file: BufWriter<File>,
    /// The file's length, with what is yet to be written.
    length: u64,
}

impl Bodies {
    /// Opens or creates them in `folder`. `first_of` says which is the first record that a topic has, for good: what stands
    /// before it is deleted.
    pub(super) fn open<E: From<io::Error>>(
        folder: &Path,
        fsync: bool,
        first_of: impl Fn(&str) -> Result<Option<i64>, E>,
    ) -> Result<Self, E> {
        fs::create_dir_all(folder)?;
        if fsync {
            sync_folders([folder.parent().unwrap_or(folder), folder])?;
        }
        let mut topics = HashMap::new();
        for entry in fs::read_dir(folder)? {
            // Topics are named in ASCII.
            let Ok(topic) = entry?.file_name().into_string() else { continue };
            let mut files = Files::open(folder.join(&topic))?;
            match first_of(&topic)? {
                Some(first) => files.delete_before(first)?,
                None => files.delete_from(i64::MIN)?,
            }
            if fsync {
                sync_folders([files.folder.as_path()])?;
            }
            topics.insert(topic, files);
        }
        Ok(Self { folder: folder.to_owned(), fsync, topics: Mutex::new(topics) })
    }

    /// Appends the body of the record that gets this offset; it is there for sure after [`Self::write`]. Offsets grow, but
    /// for those that a failed commit had given.
    pub(super) fn append(&self, topic: &str, offset: i64, body: &[u8]) -> io::Result<Place> {
        let mut end = self.end(topic, offset)?;
        let (position, length) = (end.length, body.len() as u64);
        end.file.write_all(body)?;
        end.length += length;
        self.keep(topic, end);
        Ok(Place { position, length, checksum: xxh3_64(body) })
    }

    /// Writes what was appended to a topic; where commits are synced, to the disk.
    pub(super) fn write(&self, topic: &str) -> io::Result<()> {
        let end = unpoisoned(self.topics.lock()).get_mut(topic).and_then(|files| files.end.take());
        let Some(mut end) = end else { return Ok(()) };
        end.write(self.fsync)?;
        self.keep(topic, end);
        Ok(())
    }

    /// The body of a record; none where it is not there as it was written.
    pub(super) fn read(&self, topic: &str, offset: i64, place: &Place) -> io::Result<Option<Bytes>> {
        let read = || {
            let mut body = vec![0; place.length as usize];
            self.file_of(topic, offset)?.read_exact_at(&mut body, place.position)?;
            Ok(Some(body).filter(|body| xxh3_64(body) == place.checksum).map(Bytes::from))
        };
        let is_lost =
            |error: &io::Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof);
        read().or_else(|error| if is_lost(&error) { Ok(None) } else { Err(error) })
    }

    /// Whether [`Self::delete_before`] has anything to delete.
    pub(super) fn has_before(&self, topic: &str, offset: i64) -> bool {
        unpoisoned(self.topics.lock()).get(topic).is_some_and(|files| files.has_before(offset))
    }

    /// Deletes the files of which all records are before this offset: there are none of these any more, nor can they come
    /// back with the machine's power.
    pub(super) fn delete_before(&self, topic: &str, offset: i64) -> io::Result<()> {
        let mut topics = unpoisoned(self.topics.lock());
        topics.get_mut(topic).map_or(Ok(()), |files| files.delete_before(offset))
    }

    /// Takes the end of the topic's newest file, where the body of this record goes.
    fn end(&self, topic: &str, offset: i64) -> io::Result<End> {
        let mut topics = unpoisoned(self.topics.lock());
        if !topics.contains_key(topic) {
            fs::create_dir_all(self.folder.join(topic))?;
            topics.insert(topic.to_owned(), Files::open(self.folder.join(topic))?);
        }
        let files = topics.get_mut(topic).ok_or(ErrorKind::NotFound)?;
        // Files that begin later are of a commit that failed.
        files.delete_from(offset + 1)?;
        let last = files.end.take().map_or_else(|| files.open_last(), |end| Ok(Some(end)))?;
        match last {
            Some(end) if end.length < FILE_BYTES => Ok(end),
            Some(mut full) => {
                full.write(self.fsync)?;
                self.create(files, offset)
            }
            None => self.create(files, offset),
        }
    }

    fn keep(&self, topic: &str, end: End) {
        if let Some(files) = unpoisoned(self.topics.lock()).get_mut(topic) {
            files.end = Some(end);
        }
    }

    fn create(&self, files: &mut Files, offset: i64) -> io::Result<End> {
        let file = File::create(files.path(offset))?;
        if self.fsync {
            sync_folders([files.folder.as_path(), &self.folder])?;
        }
        files.names.insert(offset);
        Ok(End::of(file, 0))
    }

    fn file_of(&self, topic: &str, offset: i64) -> io::Result<Arc<File>> {
        let mut topics = unpoisoned(self.topics.lock());
        let files = topics.get_mut(topic).ok_or(ErrorKind::NotFound)?;
        let name = *files.names.range(..=offset).next_back().ok_or(ErrorKind::NotFound)?;
        match &files.read {
            Some((read, file)) if *read == name => Ok(file.clone()),
            _ => {
                let file = Arc::new(File::open(files.path(name))?);
                files.read = Some((name, file.clone()));
                Ok(file)
            }
        }
    }
}

impl Files {
    fn open(folder: PathBuf) -> io::Result<Self> {
        let mut names = BTreeSet::new();
        for file in fs::read_dir(&folder)? {
            names.extend(file?.file_name().to_str().and_then(|name| name.parse::<i64>().ok()));
        }
        Ok(Self { folder, names, end: None, read: None })
    }

    fn path(&self, name: i64) -> PathBuf {
        self.folder.join(format!("{name:020}"))
    }

    fn open_last(&self) -> io::Result<Option<End>> {
        let Some(last) = self.names.last() else { return Ok(None) };
        let file = OpenOptions::new().append(true).open(self.path(*last))?;
        let length = file.metadata()?.len();
        Ok(Some(End::of(file, length)))
    }

    fn has_before(&self, offset: i64) -> bool {
        self.names.iter().nth(1).is_some_and(|next| *next <= offset)
    }

    fn delete_before(&mut self, offset: i64) -> io::Result<()> {
        while self.has_before(offset)
            && let Some(first) = self.names.pop_first()
        {
            fs::remove_file(self.path(first))?;
        }
        Ok(())
    }

    fn delete_from(&mut self, offset: i64) -> io::Result<()> {
        while let Some(last) = self.names.last().copied().filter(|last| *last >= offset) {
            (self.end, self.read) = (None, None);
            fs::remove_file(self.path(last))?;
            self.names.remove(&last);
        }
        Ok(())
    }
}

impl End {
    fn of(file: File, length: u64) -> Self {
        Self { file: BufWriter::with_capacity(PIECE_BYTES, file), length }
    }

    fn write(&mut self, fsync: bool) -> io::Result<()> {
        self.file.flush()?;
        if fsync { self.file.get_ref().sync_data() } else { Ok(()) }
    }
}

/// Has the disk take the names of what is in these.
fn sync_folders<'p>(folders: impl IntoIterator<Item = &'p Path>) -> io::Result<()> {
    folders.into_iter().try_for_each(|folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: usize = 1 << 20;

    fn open(folder: &Path, first: Option<i64>) -> Bodies {
        Bodies::open::<io::Error>(folder, false, |_| Ok(first)).unwrap()
    }

    fn body(offset: i64) -> Vec<u8> {
        vec![offset as u8; MEGABYTE]
    }

    fn append(bodies: &Bodies, offsets: std::ops::Range<i64>) -> Vec<(i64, Place)> {
        let append = |offset| (offset, bodies.append("pages", offset, &body(offset)).unwrap());
        let places = offsets.map(append).collect();
        bodies.write("pages").unwrap();
        places
    }

    fn files(folder: &Path) -> Vec<i64> {
        Files::open(folder.join("pages")).unwrap().names.into_iter().collect()
    }

    fn assert_there(bodies: &Bodies, places: &[(i64, Place)]) {
        for (offset, place) in places {
            let read = bodies.read("pages", *offset, place).unwrap();
            assert!(read.is_some_and(|read| read == body(*offset)), "{offset}");
        }
    }

    #[test]
    fn a_file_is_deleted_with_the_last_of_its_records() {
        let folder = tempfile::tempdir().unwrap();
        let bodies = open(folder.path(), None);
        let places = append(&bodies, 0..40);
        assert_eq!(files(folder.path()), [0, 16, 32]);
        assert_there(&bodies, &places);
        assert!(!bodies.has_before("pages", 15));
        bodies.delete_before("pages", 15).unwrap();
        assert_there(&bodies, &places);
        assert!(bodies.has_before("pages", 16));
        bodies.delete_before("pages", 16).unwrap();
        assert_eq!(files(folder.path()), [16, 32]);
        assert_eq!(bodies.read("pages", 15, &places[15].1).unwrap(), None);
        bodies.delete_before("pages", 40).unwrap();
        assert_eq!(files(folder.path()), [32], "it goes on with the newest");

        let bodies = open(folder.path(), Some(39));
        let more = append(&bodies, 40..49);
        assert_there(&bodies, &places[39..]);
        assert_there(&bodies, &more);
        assert_eq!(files(folder.path()), [32, 48]);
        open(folder.path(), Some(48));
        assert_eq!(files(folder.path()), [48]);
        open(folder.path(), None);
        assert_eq!(files(folder.path()), [0; 0]);
    }

    #[test]
    fn bodies_of_any_size_are_written_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let sizes = [1, PIECE_BYTES - 1, 2, PIECE_BYTES, 3, 3 * PIECE_BYTES, 4, 5];
        let bodies_of =
            |from: usize| sizes.iter().enumerate().map(move |(n, size)| vec![(from + n) as u8; *size]);
        for from in [0, sizes.len()] {
            let bodies = open(folder.path(), Some(0));
            let append = |(n, body): (usize, Vec<u8>)| {
                let offset = (from + n) as i64;
                (offset, bodies.append("pages", offset, &body).unwrap(), body)
            };
            let places: Vec<_> = bodies_of(from).enumerate().map(append).collect();
            bodies.write("pages").unwrap();
            for (offset, place, body) in places {
                assert!(
                    bodies.read("pages", offset, &place).unwrap().is_some_and(|read| read == body),
                    "{offset}"
                );
            }
        }
    }

    #[test]
    fn offsets_of_a_commit_that_failed_are_given_again() {
        for restarts in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let mut bodies = open(folder.path(), None);
            let mut places = append(&bodies, 0..10);
            append(&bodies, 10..50);
            assert_eq!(files(folder.path()), [0, 16, 32, 48]);
            if restarts {
                bodies = open(folder.path(), Some(0));
            }
            places.extend(append(&bodies, 10..30));
            assert_there(&bodies, &places);
        }
    }

    #[test]
    fn bodies_stand_where_they_should_after_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let bodies = open(folder.path(), None);
        let mut places = append(&bodies, 0..2);
        // Of a commit that failed before they were written.
        for offset in 2..5 {
            bodies.append("pages", offset, &[7; 5000]).unwrap();
        }
        places.extend(append(&bodies, 2..4));
        // Of one that the disk did not take.
        let read_only = File::open(folder.path().join("pages").join("0".repeat(20))).unwrap();
        unpoisoned(bodies.topics.lock()).get_mut("pages").unwrap().end = Some(End::of(read_only, 1));
        bodies.append("pages", 4, &[7; 5000]).unwrap();
        assert!(bodies.write("pages").is_err());
        places.extend(append(&bodies, 4..6));
        assert_there(&bodies, &places);
    }

    #[test]
    fn a_body_that_is_not_as_it_was_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let bodies = open(folder.path(), None);
        let places = append(&bodies, 0..3);
        let file =
            OpenOptions::new().write(true).open(folder.path().join("pages").join("0".repeat(20))).unwrap();
        file.write_all_at(b"!", MEGABYTE as u64 + 7).unwrap();
        file.set_len(3 * MEGABYTE as u64 - 1).unwrap();
        let read = |n: usize| bodies.read("pages", places[n].0, &places[n].1).unwrap();
        assert_eq!([0, 1, 2].map(|n| read(n).is_some()), [true, false, false]);
    }
}
