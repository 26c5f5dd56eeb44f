//! Texts are packed on their way into the rows: zstd, which halves them, and with them whatever the rows pass through.

use std::cell::RefCell;

use bytes::Bytes;
use pipeline::LogError;
use prost::Message;
use zstd::{
    bulk::{Compressor, Decompressor},
    zstd_safe::CParameter,
};

use crate::rows::decode_state;

/// The fastest that is not yet much larger than the best.
const LEVEL: i32 = 1;

thread_local! {
    // Making one costs more than packing an article.
    static CODERS: RefCell<Option<(Compressor<'static>, Decompressor<'static>)>> = const { RefCell::new(None) };
}

/// The message in few bytes, the same for the same message.
pub(crate) fn pack(message: &impl Message) -> Result<Bytes, LogError> {
    let mut packed = with_coders(|packer, _| packer.compress(&message.encode_to_vec()))?;
    // It is kept as it is until it is on the disk.
    packed.shrink_to_fit();
    Ok(packed.into())
}

/// The message of which [`pack`] made `packed`.
pub(crate) fn unpack<M: Message + Default>(packed: &[u8]) -> Result<M, LogError> {
    let size = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten().unwrap_or_default();
    let size = usize::try_from(size).unwrap_or_default();
    decode_state(with_coders(|_, unpacker| unpacker.decompress(packed, size))?.into())
}

/// Of a short text's table most would stay empty, and be cleared and missed all the same. Words are what short matches
/// are of: to look for longer ones alone takes a quarter less time, and leaves an eighth more bytes.
fn packer() -> std::io::Result<Compressor<'static>> {
    let mut packer = Compressor::new(LEVEL)?;
    packer.set_parameter(CParameter::HashLog(12))?;
    packer.set_parameter(CParameter::MinMatch(7))?;
    Ok(packer)
}

fn with_coders(
    code: impl FnOnce(&mut Compressor<'static>, &mut Decompressor<'static>) -> std::io::Result<Vec<u8>>,
) -> Result<Vec<u8>, LogError> {
    let coded = CODERS.with_borrow_mut(|coders| {
        let (packer, unpacker) = match coders {
            Some(coders) => coders,
            None => coders.insert((packer()?, Decompressor::new()?)),
        };
        code(packer, unpacker)
    });
    coded.map_err(|cause| {
        LogError::Fatal(format!(
            "a text in the normalizer's state cannot be packed or unpacked: {cause}; delete the state, which is \
             then rebuilt from its changelog (an embedded log has none: put its folder back as it was saved)"
        ))
    })
}

#[cfg(test)]
mod tests {
    use wire::Article;

    use super::*;

    #[test]
    fn what_is_packed_is_smaller_and_the_same_again() {
        let body_text = "The mayor of Port Alder opened the new bridge on Monday, 12 years late. ".repeat(9);
        let article = Article { body_text, ..Article::default() };
        let packed = pack(&article).unwrap();
        assert!(packed.len() < article.encoded_len() / 2, "{}", packed.len());
        assert_eq!(packed, pack(&article).unwrap());
        assert_eq!(unpack::<Article>(&packed).unwrap(), article);
        assert_eq!(unpack::<Article>(&pack(&Article::default()).unwrap()).unwrap(), Article::default());
        assert!(unpack::<Article>(packed.get(..20).unwrap()).is_err());
    }
}
