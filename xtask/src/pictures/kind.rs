//! The kinds of pictures.

use mnist_io::LabeledImages;

use super::Dice;
use super::scene;

/// What is difficult about a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Plain,
    Margin40,
    Margin8,
    Margin2,
    Margin0,
    Frame,
    Cell,
    Ruled,
    Squared,
    Table,
    ShadowSharp,
    ShadowSoft,
    Lamp,
    Row,
    Chalk,
    Thin,
    Marker,
    Coloured,
    Transparent,
    Noisy,
    Enlarged,
    Drawn,
    Ready,
    DarkSmall,
    OffCentre,
    CutOff,
    Blank,
}

/// The file of a picture.
pub(crate) struct File {
    /// What is written on it, or none where it must be refused.
    pub(crate) answer: Option<String>,
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// The ending of its name.
    pub(crate) ending: &'static str,
}

impl Kind {
    /// In the order in which they are drawn: each has random numbers of its own by its place, so that new ones come last.
    pub(crate) const ALL: [Self; 27] = [
        Self::Plain,
        Self::Margin40,
        Self::Margin8,
        Self::Margin2,
        Self::Margin0,
        Self::Frame,
        Self::Cell,
        Self::Ruled,
        Self::Squared,
        Self::Table,
        Self::ShadowSharp,
        Self::ShadowSoft,
        Self::Lamp,
        Self::Row,
        Self::Chalk,
        Self::Thin,
        Self::Marker,
        Self::Coloured,
        Self::Transparent,
        Self::Noisy,
        Self::Enlarged,
        Self::Drawn,
        Self::Ready,
        Self::DarkSmall,
        Self::CutOff,
        Self::Blank,
        Self::OffCentre,
    ];

    /// The name of its folder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Margin40 => "margin-40",
            Self::Margin8 => "margin-8",
            Self::Margin2 => "margin-2",
            Self::Margin0 => "margin-0",
            Self::Frame => "frame",
            Self::Cell => "cell",
            Self::Ruled => "ruled",
            Self::Squared => "squared",
            Self::Table => "table",
            Self::ShadowSharp => "shadow-sharp",
            Self::ShadowSoft => "shadow-soft",
            Self::Lamp => "lamp",
            Self::Row => "row",
            Self::Chalk => "chalk",
            Self::Thin => "thin",
            Self::Marker => "marker",
            Self::Coloured => "coloured",
            Self::Transparent => "transparent",
            Self::Noisy => "noisy",
            Self::Enlarged => "enlarged",
            Self::Drawn => "drawn",
            Self::Ready => "ready",
            Self::DarkSmall => "dark-28",
            Self::OffCentre => "off-centre-28",
            Self::CutOff => "cut-off",
            Self::Blank => "blank",
        }
    }

    /// What it is, in a few words.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Plain => "dark on light paper",
            Self::Margin40 => "cut out, 40 pixels of margin",
            Self::Margin8 => "cut out, 8 pixels",
            Self::Margin2 => "cut out, 2 pixels",
            Self::Margin0 => "cut out, none",
            Self::Frame => "in a frame, closed or open",
            Self::Cell => "a cell of a form, its lines cut off",
            Self::Ruled => "ruled paper",
            Self::Squared => "squared paper",
            Self::Table => "a sheet on a dark table",
            Self::ShadowSharp => "a shadow with a sharp edge",
            Self::ShadowSoft => "a shadow with a soft edge",
            Self::Lamp => "a lamp in a corner",
            Self::Row => "two to four digits in a row",
            Self::Chalk => "light on a dark board",
            Self::Thin => "a thin pen",
            Self::Marker => "a thick marker",
            Self::Coloured => "coloured pens",
            Self::Transparent => "ink in the alpha channel",
            Self::Noisy => "a noisy scan, lines broken",
            Self::Enlarged => "28 × 28, enlarged and soft",
            Self::Drawn => "drawn with a mouse, without grain",
            Self::Ready => "28 × 28, ready",
            Self::DarkSmall => "28 × 28, dark on light",
            Self::OffCentre => "28 × 28, drawn anywhere in it",
            Self::CutOff => "a file cut off (refused)",
            Self::Blank => "nothing written (refused)",
        }
    }

    /// Draws one; `difficulty` is from 0 to 2.
    pub(crate) fn draw(self, set: &LabeledImages, difficulty: usize, dice: &mut Dice) -> File {
        let scene = scene::Scene { set, difficulty, dice };
        match self {
            Self::Plain => scene.plain(),
            Self::Margin40 => scene.margin(40),
            Self::Margin8 => scene.margin(8),
            Self::Margin2 => scene.margin(2),
            Self::Margin0 => scene.margin(0),
            Self::Frame => scene.frame(),
            Self::Cell => scene.cell(),
            Self::Ruled => scene.ruled(false),
            Self::Squared => scene.ruled(true),
            Self::Table => scene.table(),
            Self::ShadowSharp => scene.shadow(0.004),
            Self::ShadowSoft => scene.shadow(0.12),
            Self::Lamp => scene.lamp(),
            Self::Row => scene.row(),
            Self::Chalk => scene.chalk(),
            Self::Thin => scene.pen(-0.025),
            Self::Marker => scene.pen(0.03),
            Self::Coloured => scene.coloured(),
            Self::Transparent => scene.transparent(),
            Self::Noisy => scene.noisy(),
            Self::Enlarged => scene.enlarged(),
            Self::Drawn => scene.drawn(),
            Self::Ready => scene.small(false),
            Self::DarkSmall => scene.small(true),
            Self::OffCentre => scene.off_centre(),
            Self::CutOff => scene.cut_off(),
            Self::Blank => scene.blank(),
        }
    }
}
