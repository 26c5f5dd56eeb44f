//! Compiles `proto/` in process: no protoc to install.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let root = "../../../proto";
    let files =
        ["request", "page", "article", "canonical", "state"].map(|name| format!("wireroom/v1/{name}.proto"));
    println!("cargo::rerun-if-changed={root}");
    let descriptors = protox::compile(files, [root])?;
    let mut config = prost_build::Config::new();
    for public in ["CanonicalArticle", "Change", "Occurrence", "Related", "Publisher", "Rights"] {
        config.type_attribute(
            format!(".wireroom.v1.{public}"),
            "#[derive(serde::Serialize, serde::Deserialize)] #[serde(default)]",
        );
    }
    config
        // Ordered maps: equal records have equal bytes.
        .btree_map(["."])
        .bytes(["."])
        .compile_fds(descriptors)?;
    Ok(())
}
