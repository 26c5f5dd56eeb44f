//! What one text is to another, from the containment of their shingles both ways.

use std::fmt;

use article::{Relation, Rule};

use crate::{Sketch, sketch::Counts};

/// Within this of each other's publication, texts alike are one story; later ones may be a recurring report. Of 35
/// copies across outlets that were measured, 32 came within 49 hours.
pub const RECURRENCE_WINDOW_MS: i64 = 72 * 3_600_000;

/// Least containment of 5- and of 3-word shingles, the better of both ways, for two texts to belong together.
const ALIKE: (f32, f32) = (0.40, 0.55);

/// The same for texts that are not known to be of the same days.
const ALIKE_ANY_TIME: (f32, f32) = (0.50, 0.60);

/// Texts of the same days that share this much *both* ways belong together as well: a copy read by a bad scanner loses
/// shingles all over, and what shares only boilerplate or a quotation never shares this much of both texts.
const EVENLY_ALIKE: (f32, f32) = (0.28, 0.45);

/// The same few words are no sign of the same article: "Please enable JavaScript".
pub(crate) const MIN_WORDS: u32 = 10;

/// Fewest shared shingles, of both sizes together, that say anything; texts with fewer are the same only word for word.
const MIN_SHARED: u32 = 5;

/// Figures of two reports disagree where at least two do (of short texts and across time: one, see [`Likeness::rule`]) and
/// fewer than this share agree.
const FIGURES_AGREE: f32 = 0.6;
const FIGURES_AGREE_ANY_TIME: f32 = 0.75;

/// From this 3-word containment on, the smaller text is in the larger; below, each has a text of its own,
const WITHIN: f32 = 0.75;

/// unless the differences are strewn over the text. Of words kept with probability p, p⁵ of the longer shingles remain
/// and p³ of the shorter; of a passage replaced, as many of both: sketches of some thirty shingles have to tell the two
/// apart beyond [`DEVIATIONS`], for an own passage that is taken for edits is published nowhere.
const STREWN: f32 = 0.87;

/// Standard deviations of the sampled ratio.
const DEVIATIONS: f32 = 2.0;

/// Texts of fewer words are made of the same few turns: they belong together only where they are the nearer alike, and
/// no figure of theirs disagrees.
const SHORT_WORDS: u32 = 40;

/// The larger text has more than the smaller when it is this many times its size,
const MORE: f32 = 1.2;

/// or has this many words more, beside those that edits account for: a banner or a tag line is shorter.
const MORE_WORDS: f32 = 60.0;

/// The share of each text that is found in the other, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Containment {
    /// Of this text in the other.
    pub of_this: f32,
    /// Of the other text in this.
    pub of_other: f32,
}

/// Whether two texts were published so close that one report did not recur in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proximity {
    /// Within [`RECURRENCE_WINDOW_MS`].
    SameDays,
    /// Further apart, or unknown: only far more alike texts belong together.
    AnyTime,
}

impl Proximity {
    /// Of two instants, where both are known.
    pub fn between(a_ms: Option<i64>, b_ms: Option<i64>) -> Self {
        match (a_ms, b_ms) {
            (Some(a), Some(b)) if a.abs_diff(b) <= RECURRENCE_WINDOW_MS.unsigned_abs() => Self::SameDays,
            _ => Self::AnyTime,
        }
    }
}

/// What keeps two texts apart: the first threshold that they miss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Miss {
    /// One of them is too short.
    TooShort {
        /// Words of the shorter one.
        words: u32,
        /// What is asked for.
        least: u32,
    },
    /// They have too few shingles in common to say anything.
    TooLittleShared {
        /// Shared shingles of both sizes, in the sketches.
        shared: u32,
        /// What is asked for.
        least: u32,
    },
    /// Neither text is in the other.
    TooUnlike {
        /// 5-word containment, the better of both ways, and what is asked for.
        five: (f32, f32),
        /// 3-word containment, likewise.
        three: (f32, f32),
    },
    /// A recurring report: the words are alike, the figures differ.
    FiguresDisagree {
        /// Contexts in which the figures agree,
        agreeing: u32,
        /// of so many that name one in both,
        shared: u32,
        /// and the share that is asked for.
        least: f32,
    },
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { words, least } => {
                write!(f, "a text of {words} words is too short to judge by: {least} are asked for")
            }
            Self::TooLittleShared { shared, least } => {
                write!(f, "{shared} shared shingles are too few to judge by: {least} are asked for")
            }
            Self::TooUnlike { five, three } => write!(
                f,
                "of the 5-word shingles {:.2} are contained ({:.2} asked for), of the 3-word shingles {:.2} ({:.2})",
                five.0, five.1, three.0, three.1
            ),
            Self::FiguresDisagree { agreeing, shared, least } => {
                write!(f, "{agreeing} of {shared} figures agree, and a share of {least:.2} is asked for")
            }
        }
    }
}

/// How alike two texts are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// Containment of 5-word shingles.
    pub five: Containment,
    /// Containment of 3-word shingles.
    pub three: Containment,
    /// Shared shingles in the sketches, of both sizes.
    pub shared: u32,
    /// In how many contexts the figures agree, of those in which both name one.
    pub figures: (u32, u32),
    words: (u32, u32),
    /// 5- and 3-word shingles in the smaller sketch.
    sampled: (u32, u32),
}

impl Likeness {
    /// Compares `this` with `other`.
    pub fn between(this: &Sketch, other: &Sketch) -> Self {
        let (five, three) = (this.shared_five(other), this.shared_three(other));
        Self {
            five: five.containment(),
            three: three.containment(),
            shared: five.shared + three.shared,
            figures: this.figure_agreement(other),
            words: (this.words, other.words),
            sampled: (five.this.min(five.other), three.this.min(three.other)),
        }
    }

    /// Why the two texts belong to one story, or why not.
    pub fn rule(&self, proximity: Proximity) -> Result<Rule, Miss> {
        let words = self.words.0.min(self.words.1);
        let is_short = words < SHORT_WORDS;
        let (rule, least, figures) = match proximity {
            Proximity::SameDays if is_short => (Rule::NearText, ALIKE_ANY_TIME, FIGURES_AGREE_ANY_TIME),
            Proximity::SameDays => (Rule::NearText, ALIKE, FIGURES_AGREE),
            Proximity::AnyTime => (Rule::NearTextAnyTime, ALIKE_ANY_TIME, FIGURES_AGREE_ANY_TIME),
        };
        // One figure among others that agree may be an edit; one of one is another report.
        let may_disagree = match proximity {
            _ if is_short => 0,
            Proximity::AnyTime if self.figures.0 == 0 => 0,
            _ => 1,
        };
        if words < MIN_WORDS {
            return Err(Miss::TooShort { words, least: MIN_WORDS });
        }
        if self.shared < MIN_SHARED {
            return Err(Miss::TooLittleShared { shared: self.shared, least: MIN_SHARED });
        }
        let (five, three) = (self.five.most(), self.three.most());
        let rule = if five >= least.0 && three >= least.1 {
            rule
        } else if proximity == Proximity::SameDays && !is_short && self.is_even() {
            Rule::NearTextBothWays
        } else {
            return Err(Miss::TooUnlike { five: (five, least.0), three: (three, least.1) });
        };
        if !self.figures_agree(figures, may_disagree) {
            let (agreeing, shared) = self.figures;
            return Err(Miss::FiguresDisagree { agreeing, shared, least: figures });
        }
        Ok(rule)
    }

    /// What this text is to the other, where they belong to one story: a copy, an excerpt, an extension, or derived.
    pub fn relation(&self) -> Relation {
        let (this, other) = (self.words.0 as f32, self.words.1 as f32);
        // Edits lower both containments: what they account for is no text of its own.
        let edited = (1.0 - self.three.of_other) * other;
        if self.three.most() < WITHIN && !self.is_strewn() {
            Relation::Derived
        } else if this > other * MORE || (this > other + MORE_WORDS + edited && this > other * 1.05) {
            Relation::Extension
        } else if other > this * MORE {
            Relation::Excerpt
        } else {
            Relation::Copy
        }
    }

    fn is_even(&self) -> bool {
        let least = |c: Containment| c.of_this.min(c.of_other);
        least(self.five) >= EVENLY_ALIKE.0 && least(self.three) >= EVENLY_ALIKE.1
    }

    /// Whether 5-word shingles are missing more often than 3-word ones, beyond what the samples would show by chance.
    fn is_strewn(&self) -> bool {
        let (five, three) = (self.five.most(), self.three.most());
        // Of the logarithm of a share of so many.
        let variance = |share: f32, of: u32| (1.0 - share) / (share * of as f32);
        let deviation = (variance(five, self.sampled.0) + variance(three, self.sampled.1)).sqrt();
        let ratio = five / three;
        ratio < STREWN && ratio.ln() < -DEVIATIONS * deviation
    }

    /// Reports recur word for word with other figures: those are not copies.
    fn figures_agree(&self, share: f32, may_disagree: u32) -> bool {
        let (agreeing, shared) = self.figures;
        shared <= agreeing + may_disagree || agreeing as f32 >= share * shared as f32
    }
}

impl Containment {
    /// The better of both ways.
    pub fn most(self) -> f32 {
        self.of_this.max(self.of_other)
    }
}

impl Counts {
    fn containment(self) -> Containment {
        let share = |size: u32| if size == 0 { 0.0 } else { self.shared as f32 / size as f32 };
        Containment { of_this: share(self.this), of_other: share(self.other) }
    }
}
