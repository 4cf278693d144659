//! Data sets as tables of numbers.

use mnist_io::{ErrorKind, ImportOptions, import_file, parse_csv};

/// A row of a table: a label and 64 pixels.
fn row(label: u8, first_pixel: u8) -> String {
    let mut row = format!("{label},{first_pixel}");
    row.push_str(&",0".repeat(63));
    row.push('\n');
    row
}

fn head() -> String {
    let names: Vec<String> = (0..64).map(|pixel| format!("pixel{pixel}")).collect();
    format!("label,{}\n", names.join(","))
}

#[test]
fn a_table_is_read_with_and_without_a_head_line() {
    let rows = [row(3, 7), row(9, 255)].concat();
    let counted: Vec<String> = (0..65).map(|column| column.to_string()).collect();
    for table in [rows.clone(), head() + &rows, format!("{}\n{rows}", counted.join(",")), rows.replace('\n', "\r\n")] {
        let set = parse_csv(table.as_bytes()).unwrap();
        assert_eq!((set.len(), set.height(), set.width()), (2, 8, 8));
        assert_eq!(set.labels, [3, 9]);
        assert_eq!([set.images[[0, 0, 0]], set.images[[1, 0, 0]]], [7, 255]);
        assert_eq!(set.classes.concat(), "0123456789");
    }
}

#[test]
fn the_column_of_labels_is_where_the_head_line_says_and_words_in_it_are_named() {
    let moved = |line: &str| {
        let (label, pixels) = line.trim_end().split_once(',').unwrap();
        format!("{pixels},{label}\n")
    };
    for name in ["class", "target", "y", "Label"] {
        let names: Vec<String> = (1..=64).map(|pixel| format!("pixel{pixel}")).collect();
        let table = format!("{},{name}\n{}{}", names.join(","), moved(&row(3, 7)), moved(&row(9, 255)));
        let set = parse_csv(table.as_bytes()).unwrap();
        assert_eq!(set.labels, [3, 9], "{name}");
        assert_eq!([set.images[[0, 0, 0]], set.images[[1, 0, 0]]], [7, 255]);
    }
    let error = parse_csv(row(3, 7).replacen('3', "cat", 1).as_bytes()).unwrap_err().to_string();
    assert!(error.contains("words make the names of folders of pictures"), "{error}");
}

#[test]
fn a_table_that_is_none_is_refused_with_the_line() {
    let good = row(1, 2);
    let tables = [
        String::new(),
        head(),
        "1,2,3\n".to_owned(),
        good.clone() + good.trim_end().trim_end_matches(",0") + "\n",
        good.replacen(",2", ",256", 1),
        good.clone() + &good.replacen(",2", ",-1", 1),
        good.clone() + &good.replacen(",2", ",2.5", 1),
        good.trim_start_matches("1,").to_owned(),
        row(200, 0),
        "\0\u{1}binary".to_owned(),
        "7".repeat(300_000),
    ];
    let errors = tables.iter().map(|table| parse_csv(table.as_bytes()).unwrap_err());
    let texts: Vec<String> = errors
        .map(|error| {
            assert_eq!(error.kind(), ErrorKind::Data);
            error.to_string()
        })
        .collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_file_becomes_a_training_and_a_test_set_by_its_ending() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("train.CSV");
    std::fs::write(&table, (0..20).map(|n| row(n % 2, n)).collect::<String>()).unwrap();
    let imported = import_file(&table, &ImportOptions::default()).unwrap();
    assert_eq!((imported.train.len(), imported.test.len(), imported.n_prepared), (16, 4, 0));
    let other = folder.path().join("train.feather");
    std::fs::write(&other, "PAR1").unwrap();
    let error = import_file(&other, &ImportOptions::default()).unwrap_err();
    assert!(error.to_string().contains("a file that ends in \".feather\""), "{error}");
}
