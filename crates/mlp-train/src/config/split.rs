//! How validation samples are chosen.

use std::fmt;

/// How the samples that are split off for validation are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ValidationSplit {
    /// Any of them, each as likely as another.
    #[default]
    Random,
    /// So many of each class as it has a share in all, rounded by the largest remainder, so that no class vanishes from
    /// training as long as a sample can be left of each; which of them, by chance. For samples with labels.
    Stratified,
}

impl ValidationSplit {
    /// Both ways.
    pub const ALL: [Self; 2] = [Self::Random, Self::Stratified];

    /// The name in configuration files: `random` or `stratified`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Stratified => "stratified",
        }
    }

    /// The split of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|split| split.name() == name)
    }
}

impl fmt::Display for ValidationSplit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
