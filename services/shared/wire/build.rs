//! Compiles `proto/` in process: no protoc to install.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let root = "../../../proto";
    let files =
        ["request", "page", "article", "canonical", "state"].map(|name| format!("wireroom/v1/{name}.proto"));
    println!("cargo::rerun-if-changed={root}");
    let descriptors = protox::compile(files, [root])?;
    let mut config = prost_build::Config::new();
    config.type_attribute(".", "#[derive(serde::Serialize, serde::Deserialize)] #[serde(default)]");
    // Bodies and hashes are for machines: JSON of such messages is a look at them, not an encoding.
    for bytes in [
        "Document.content",
        "Response.body",
        "RobotsState.text",
        "QueuedRecord.key",
        "QueuedRecord.value",
        "RecordHeader.value",
        "Prepared.exact_hash",
        "ArticleState.text_hash",
        "BodyState.article",
    ] {
        config.field_attribute(format!("wireroom.v1.{bytes}"), "#[serde(skip)]");
    }
    config
        // Ordered maps: equal records have equal bytes.
        .btree_map(["."])
        .bytes(["."])
        .compile_fds(descriptors)?;
    Ok(())
}
