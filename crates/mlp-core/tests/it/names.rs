//! Every choice has a name, and a name that stands for nothing says what would have been understood.

use mlp_core::{Activation, Initializer, Kernel, Loss, Mlp, Reduction, UnknownName};

#[test]
fn every_name_is_read_as_it_is_shown() {
    assert!(Activation::ALL.iter().all(|activation| activation.to_string().parse() == Ok(*activation)));
    assert!(Loss::ALL.iter().all(|loss| loss.to_string().parse() == Ok(*loss)));
    assert!(Reduction::ALL.iter().all(|reduction| reduction.to_string().parse() == Ok(*reduction)));
    assert!(Kernel::ALL.iter().chain(&[Kernel::Reference]).all(|kernel| kernel.to_string().parse() == Ok(*kernel)));
    for initializer in [Initializer::Uniform01, Initializer::HE_NORMAL, Initializer::LECUN_UNIFORM] {
        assert_eq!(initializer.to_string().parse(), Ok(initializer));
    }
}

#[test]
fn an_unknown_name_says_what_was_found_and_what_would_do() {
    let error = "Relu".parse::<Activation>().unwrap_err();
    assert_eq!((error.what(), error.found(), error.expected().len()), ("an activation", "Relu", 5));
    let error = "mean\n".parse::<Reduction>().unwrap_err();
    assert_eq!(error.to_string(), r#"expected the name of a reduction, found "mean\n"; take one of mean, sum"#);
    // Without their numbers these are no distributions.
    for name in ["uniform", "normal"] {
        assert!(!name.parse::<Initializer>().unwrap_err().expected().contains(&name));
    }
}

#[test]
fn what_threads_share_can_be_shared() {
    fn assert_shared<T: Send + Sync + 'static>() {}
    assert_shared::<UnknownName>();
    assert_shared::<mlp_core::NonFinite>();
    assert_shared::<Mlp<f32>>();
    assert_shared::<mlp_core::Workspace<f64>>();
    assert_shared::<mlp_core::Workers>();
}
