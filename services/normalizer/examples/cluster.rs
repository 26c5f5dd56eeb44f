//! The filter on standard input and output, for measuring.

fn main() -> std::io::Result<()> {
    normalizer::filter(std::io::stdin().lock(), std::io::BufWriter::new(std::io::stdout().lock()))
}
