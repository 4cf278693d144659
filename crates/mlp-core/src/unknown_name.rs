//! The one error of this crate: a name that stands for nothing.

use std::fmt;

/// A text that is not the name of what was asked for: the error of [`str::parse`] for
/// [`Activation`](crate::Activation), [`Loss`](crate::Loss), [`Reduction`](crate::Reduction),
/// [`Initializer`](crate::Initializer) and [`Kernel`](crate::Kernel).
///
/// ```
/// use mlp_core::{Activation, UnknownName};
///
/// let error: UnknownName = "sigmod".parse::<Activation>().unwrap_err();
/// assert_eq!(error.found(), "sigmod");
/// assert!(error.expected().contains(&"sigmoid"));
/// assert_eq!(
///     error.to_string(),
///     "expected the name of an activation, found \"sigmod\"; \
///      take one of sigmoid, tanh, relu, identity, softmax"
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct UnknownName(Box<Details>);

#[derive(Clone, PartialEq, Eq)]
struct Details {
    what: &'static str,
    found: String,
    expected: Vec<&'static str>,
}

impl UnknownName {
    /// What should have been named, with its article: "an activation".
    pub fn what(&self) -> &'static str {
        self.0.what
    }

    /// What was there.
    pub fn found(&self) -> &str {
        &self.0.found
    }

    /// The names that would have been understood.
    pub fn expected(&self) -> &[&'static str] {
        &self.0.expected
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { what, found, expected } = &*self.0;
        write!(formatter, "expected the name of {what}, found {found:?}; take one of {}", expected.join(", "))
    }
}

impl fmt::Debug for UnknownName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "UnknownName({self})")
    }
}

impl std::error::Error for UnknownName {}

/// The one of `choices` that has this name.
pub(crate) fn choose<T: Copy>(
    what: &'static str,
    choices: &[T],
    name_of: impl Fn(T) -> &'static str,
    name: &str,
) -> Result<T, UnknownName> {
    choices.iter().copied().find(|&choice| name_of(choice) == name).ok_or_else(|| {
        let expected = choices.iter().map(|&choice| name_of(choice)).collect();
        UnknownName(Box::new(Details { what, found: name.to_owned(), expected }))
    })
}
