//! Photos to digits.

use mnist_io::image::{DynamicImage, GrayImage, Luma, Rgba, RgbaImage, imageops};
use mnist_io::{
    ErrorKind, Layout, prepare_digit, prepare_photo, prepare_photo_for_mnist, read_image, synthetic_digits,
};
use ndarray::{Array2, s};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Scene {
    DarkOnLight,
    LightOnDark,
    LampOnTheLeft,
    DarkCorners,
    Transparent,
    AsItIs,
}

/// A photo of a digit: enlarged, written on grainy paper.
pub(crate) fn photo_of(digit: &Array2<u8>, scene: Scene) -> DynamicImage {
    let small = GrayImage::from_fn(28, 28, |x, y| Luma([digit[[y as usize, x as usize]]]));
    let side = 280;
    let large = imageops::resize(&small, side, side, imageops::FilterType::CatmullRom);
    let ink_at = |x: u32, y: u32| match x < side && y < side {
        true => f64::from(large.get_pixel(x, y).0[0]) / 255.0,
        false => 0.0,
    };
    match scene {
        Scene::AsItIs => return small.into(),
        Scene::Transparent => {
            let level = |x, y| (255.0 * ink_at(x, y)) as u8;
            return RgbaImage::from_fn(side, side, |x, y| Rgba([20, 20, 120, level(x, y)])).into();
        }
        _ => {}
    }
    let (width, height) = (480, 360);
    let mut state = 1_u32;
    let photo = GrayImage::from_fn(width, height, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = f64::from(state >> 24) / 8.0 - 16.0;
        let ink = ink_at(x.wrapping_sub(110), y.wrapping_sub(30));
        let (u, v) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
        let light = match scene {
            Scene::LampOnTheLeft => 220.0 - 120.0 * u - 20.0 * v,
            Scene::DarkCorners => 190.0 - 120.0 * ((u - 0.5) * (u - 0.5) + (v - 0.5) * (v - 0.5)),
            _ => 200.0,
        };
        let level = light * (1.0 - 0.7 * ink) + grain;
        let level = if matches!(scene, Scene::LightOnDark) { 255.0 - level } else { level };
        Luma([level as u8])
    });
    photo.into()
}

/// The greatest correlation of two images over shifts by at most two pixels: where the middle of a digit is found may
/// differ by as much.
pub(crate) fn correlation(one: &Array2<u8>, other: &Array2<u8>) -> f64 {
    let mut best = -1.0_f64;
    for dy in -2_i32..=2 {
        for dx in -2_i32..=2 {
            let shifted = Array2::from_shape_fn((28, 28), |(y, x)| {
                let place = (y.wrapping_add_signed(dy as isize), x.wrapping_add_signed(dx as isize));
                other.get(place).copied().unwrap_or(0)
            });
            let (a, b) = (one.mapv(f64::from), shifted.mapv(f64::from));
            let (a, b) = (&a - a.mean().unwrap(), &b - b.mean().unwrap());
            best = best.max((&a * &b).sum() / ((&a * &a).sum() * (&b * &b).sum()).sqrt());
        }
    }
    best
}

#[test]
fn a_digit_is_found_in_every_light_and_either_way_round() {
    let digits = synthetic_digits(20, 3);
    // The digits as they would be in MNIST: scaled and centred, without paper in between.
    let expected: Vec<Array2<u8>> = digits
        .images
        .outer_iter()
        .map(|image| {
            // A pixel more on each side, or they would be taken as they are.
            let small = GrayImage::from_fn(30, 30, |x, y| {
                let place = (y.wrapping_sub(1) as usize, x.wrapping_sub(1) as usize);
                Luma([image.get(place).copied().unwrap_or(0)])
            });
            prepare_digit(&small.into()).unwrap().image
        })
        .collect();
    for scene in [Scene::DarkOnLight, Scene::LightOnDark, Scene::LampOnTheLeft, Scene::DarkCorners, Scene::Transparent]
    {
        for (index, image) in digits.images.outer_iter().enumerate() {
            let prepared = prepare_digit(&photo_of(&image.to_owned(), scene)).unwrap();
            let similarity = correlation(&expected[index], &prepared.image);
            assert!(similarity > 0.8, "{scene:?}, digit {index}: {similarity}");
        }
    }
}

#[test]
fn the_steps_lead_from_the_photo_to_the_image() {
    let digit = synthetic_digits(1, 3).images.index_axis_move(ndarray::Axis(0), 0);
    let prepared = prepare_digit(&photo_of(&digit, Scene::LampOnTheLeft)).unwrap();
    let names: Vec<&str> = prepared.steps.iter().map(|step| step.name).collect();
    assert_eq!(names, ["grey", "ink", "threshold", "writing", "crop", "fit", "centre"]);
    assert_eq!(prepared.steps.last().unwrap().image, prepared.image);
    assert!(prepared.steps.iter().all(|step| step.explanation.ends_with('.')));
}

#[test]
fn the_steps_can_be_looked_at_as_files_that_show_the_same_pixels() {
    let digit = synthetic_digits(1, 3).images.index_axis_move(ndarray::Axis(0), 0);
    let prepared = prepare_digit(&photo_of(&digit, Scene::DarkOnLight)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    prepared.write_steps(folder.path().join("steps"), "mine").unwrap();
    let last = image::open(folder.path().join("steps/mine-7-centre.png")).unwrap().into_luma8();
    // 28 pixels are enlarged by 8.
    assert_eq!(last.dimensions(), (224, 224));
    for (x, y, pixel) in last.enumerate_pixels() {
        assert_eq!(pixel.0, [prepared.image[[y as usize / 8, x as usize / 8]]], "{x}, {y}");
    }
    assert_eq!(std::fs::read_dir(folder.path().join("steps")).unwrap().count(), prepared.steps.len());
    let error = prepared.write_steps(folder.path().join("steps/mine-7-centre.png"), "mine").unwrap_err();
    assert_eq!(error.kind(), mnist_io::ErrorKind::Io);
}

#[test]
fn the_ink_of_a_prepared_digit_is_full_and_its_centre_of_mass_is_in_the_middle() {
    for image in synthetic_digits(30, 5).images.outer_iter() {
        let prepared = prepare_digit(&photo_of(&image.to_owned(), Scene::DarkOnLight)).unwrap().image;
        let mass: f64 = prepared.iter().map(|&pixel| f64::from(pixel)).sum();
        let centre = |of: fn((usize, usize)) -> usize| {
            prepared.indexed_iter().map(|(place, &pixel)| of(place) as f64 * f64::from(pixel)).sum::<f64>() / mass
        };
        let (y, x) = (centre(|(y, _)| y), centre(|(_, x)| x));
        assert!((y - 14.0).abs() <= 0.51 && (x - 14.0).abs() <= 0.51, "({y}, {x})");
        assert_eq!(prepared.iter().max(), Some(&255));
    }
}

#[test]
fn specks_and_thin_lines_are_mended() {
    let page = GrayImage::from_fn(600, 600, |x, y| {
        let is_line = (298..302).contains(&x) && (100..500).contains(&y);
        let is_speck =
            (80..84).contains(&x) && (80..83).contains(&y) || (500..503).contains(&x) && (90..93).contains(&y);
        Luma([if is_line || is_speck { 30 } else { 230 }])
    });
    let prepared = prepare_digit(&page.into()).unwrap();
    let explanation_of = |name| &prepared.steps.iter().find(|step| step.name == name).unwrap().explanation;
    assert!(explanation_of("writing").contains("2 specks"), "{}", explanation_of("writing"));
    assert!(explanation_of("thicken").contains("2.2"), "{}", explanation_of("thicken"));
    let ink_in_the_middle: u32 = prepared.image.row(14).iter().map(|&pixel| u32::from(pixel)).sum();
    assert!((380..800).contains(&ink_in_the_middle), "{ink_in_the_middle}");
}

#[test]
fn a_picture_without_a_digit_is_refused_with_the_reason() {
    let mut state = 7_u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let noise = GrayImage::from_fn(200, 200, |_, _| Luma([random()]));
    let mut random_again = random;
    let grain = GrayImage::from_fn(200, 200, |_, _| Luma([200 + random_again() / 16]));
    let mut random_specks = random;
    let specks = GrayImage::from_fn(200, 200, |_, _| Luma([if random_specks() < 6 { 0 } else { 255 }]));
    let text = GrayImage::from_fn(300, 200, |x, y| {
        Luma([if x % 30 < 12 && (30..270).contains(&x) && (80..120).contains(&y) { 0 } else { 255 }])
    });
    let cases: [(&str, DynamicImage); 8] = [
        ("blank", GrayImage::from_pixel(100, 100, Luma([255])).into()),
        ("grain", grain.into()),
        ("noise", noise.into()),
        ("specks", specks.into()),
        ("many characters", text.into()),
        ("tiny", GrayImage::new(5, 900).into()),
        ("narrow", GrayImage::new(16, 2000).into()),
        ("nothing", GrayImage::new(0, 0).into()),
    ];
    let texts: Vec<String> = cases
        .iter()
        .map(|(name, picture)| {
            let error = prepare_digit(picture).expect_err(name);
            assert_eq!(error.kind(), ErrorKind::Data);
            format!("{name}: {}", error.found())
        })
        .collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn pictures_are_read_by_content_and_damaged_ones_refused() {
    let folder = tempfile::tempdir().unwrap();
    let page: DynamicImage = GrayImage::from_fn(40, 30, |x, _| Luma([x as u8])).into();
    let path = folder.path().join("page.png");
    page.save(&path).unwrap();
    assert_eq!(read_image(&path).unwrap().to_luma8(), page.to_luma8());
    let misnamed = folder.path().join("page.jpg");
    std::fs::rename(&path, &misnamed).unwrap();
    assert_eq!(read_image(&misnamed).unwrap().to_luma8(), page.to_luma8());

    let bytes = std::fs::read(&misnamed).unwrap();
    let mut huge = bytes.clone();
    huge[16] = 0x7f; // The first byte of the width: two thousand million pixels.
    for damaged in [&bytes[..bytes.len() / 2], b"", b"no picture at all", &huge] {
        std::fs::write(&path, damaged).unwrap();
        let error = read_image(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
        assert_eq!(error.path(), Some(path.as_path()));
    }
}

/// A PNG picture whose header states this size, with the checksum that belongs to it.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let small = DynamicImage::from(GrayImage::new(16, 16));
    small.write_to(&mut std::io::Cursor::new(&mut bytes), mnist_io::image::ImageFormat::Png).unwrap();
    // Eight bytes of signature and four of length precede the name of the first chunk; its content of 13 bytes begins
    // with width and height, and its checksum follows.
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let mut checksum = flate2::Crc::new();
    checksum.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
    bytes
}

#[test]
fn a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.png");
    let mut texts = Vec::new();
    for (width, height) in [(20_000, 20_000), (8_000, 8_001), (64_000_001, 1), (u32::MAX >> 1, u32::MAX >> 1)] {
        std::fs::write(&path, png_of(width, height)).unwrap();
        let error = read_image(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        texts.push(error.to_string().replace(folder.path().to_str().unwrap(), "FOLDER"));
    }
    insta::assert_snapshot!(texts.join("\n"));
    std::fs::write(&path, png_of(16, 16)).unwrap();
    read_image(&path).unwrap();
    let sparse = std::fs::File::create(&path).unwrap();
    sparse.set_len((256 << 20) + 1).unwrap();
    assert_eq!(read_image(&path).unwrap_err().found(), "a file of 268435457 bytes");
}

#[test]
fn a_photo_is_shrunk_to_the_means_of_what_each_pixel_covers() {
    // Three bands of rows of the photo, which is shrunk by 5 × 5.
    let page = GrayImage::from_fn(2000, 1500, |x, y| {
        Luma([if (900..1100).contains(&x) && (300..1200).contains(&y) { 50 } else { 190 + ((x + y) % 3) as u8 }])
    });
    let photo = DynamicImage::from(page.clone());
    let grey = &prepare_digit(&photo).unwrap().steps[0].image;
    assert_eq!(grey.dim(), (300, 400));
    for ((y, x), &level) in grey.indexed_iter() {
        let block = imageops::crop_imm(&page, 5 * x as u32, 5 * y as u32, 5, 5).to_image();
        let mean = block.pixels().map(|pixel| f64::from(pixel.0[0])).sum::<f64>() / 25.0;
        assert!((f64::from(level) - mean).abs() <= 0.51, "({y}, {x}): {level} for {mean}");
    }
}

/// A stroke: row and column at both ends, and a thickness.
type Stroke = ((f32, f32), (f32, f32), f32);

/// A page with strokes.
fn page(height: u32, width: u32, strokes: &[Stroke]) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| {
        let (x, y) = (x as f32, y as f32);
        let is_ink = strokes.iter().any(|&((top, left), (bottom, right), thickness)| {
            let (dy, dx) = (bottom - top, right - left);
            let along = (((y - top) * dy + (x - left) * dx) / (dy * dy + dx * dx)).clamp(0.0, 1.0);
            (y - top - along * dy).hypot(x - left - along * dx) <= thickness / 2.0
        });
        Luma([if is_ink { 60 } else { 220 + ((x * 7.0 + y * 13.0) % 5.0) as u8 }])
    })
}

/// A "7".
const SEVEN: [Stroke; 2] = [((90.0, 150.0), (90.0, 230.0), 12.0), ((90.0, 230.0), (220.0, 180.0), 12.0)];

fn prepared(photo: GrayImage) -> mnist_io::PreparedPhoto {
    let prepared = prepare_photo(&photo.into(), Layout::Row);
    assert!(prepared.refusal.is_none(), "{:?}", prepared.refusal);
    prepared
}

#[test]
fn frames_lines_and_sheets_on_a_table_are_no_writing() {
    let alone = prepared(page(300, 400, &SEVEN));
    let with = |more: &[Stroke]| page(300, 400, &[&SEVEN[..], more].concat());
    let frame = with(&[
        ((60.0, 110.0), (60.0, 270.0), 4.0),
        ((60.0, 270.0), (250.0, 270.0), 4.0),
        ((250.0, 270.0), (250.0, 110.0), 4.0),
        ((250.0, 110.0), (60.0, 110.0), 4.0),
    ]);
    let cell = with(&[((5.0, -5.0), (8.0, 405.0), 6.0), ((-5.0, 394.0), (305.0, 392.0), 6.0)]);
    let one_side = with(&[((70.0, 290.0), (260.0, 290.0), 4.0)]);
    let ruled = with(&[((150.0, -5.0), (152.0, 405.0), 3.0), ((260.0, -5.0), (262.0, 405.0), 3.0)]);
    let sheet = page(300, 400, &SEVEN);
    let table = GrayImage::from_fn(400, 300, |x, y| {
        if (60..340).contains(&x) && (40..270).contains(&y) {
            *sheet.get_pixel(x, y)
        } else {
            Luma([30 + (x % 3) as u8])
        }
    });
    for (name, photo) in
        [("frame", frame), ("cell", cell), ("one side", one_side), ("ruled", ruled), ("a sheet on a table", table)]
    {
        let found = prepared(photo);
        assert_eq!(found.characters.len(), 1, "{name}");
        let similarity = correlation(&alone.characters[0].image, &found.characters[0].image);
        assert!(similarity > 0.9, "{name}: {similarity}");
    }
}

#[test]
fn ink_that_touches_the_edge_is_seen_the_right_way_round() {
    let whole = page(300, 400, &SEVEN);
    let alone = prepared(whole.clone());
    for margin in [0, 1, 2, 8, 20] {
        let (left, top) = (144 - margin, 84 - margin);
        let cut = imageops::crop_imm(&whole, left, top, 92 + 2 * margin, 142 + 2 * margin).to_image();
        let found = prepared(cut);
        let similarity = correlation(&alone.characters[0].image, &found.characters[0].image);
        assert!(similarity > 0.9, "a margin of {margin}: {similarity}");
    }
}

#[test]
fn a_shadow_with_a_sharp_edge_is_no_ink() {
    let lit = page(300, 400, &SEVEN);
    let alone = prepared(lit.clone());
    for left_over in [0.65, 0.5] {
        let photo = GrayImage::from_fn(400, 300, |x, y| {
            let level = f64::from(lit.get_pixel(x, y).0[0]);
            Luma([if x + y < 330 { level * left_over } else { level } as u8])
        });
        let similarity = correlation(&alone.characters[0].image, &prepared(photo).characters[0].image);
        assert!(similarity > 0.9, "{left_over}: {similarity}");
    }
}

#[test]
fn a_row_is_read_from_left_to_right_and_single_takes_all_for_one() {
    let bars: Vec<_> =
        (0..3).map(|n| ((60.0, 60.0 + 90.0 * n as f32), (140.0, 50.0 + 90.0 * n as f32), 12.0)).collect();
    let photo = DynamicImage::from(page(200, 320, &bars));
    let row = prepare_photo(&photo, Layout::Row);
    assert_eq!(row.characters.len(), 3);
    for (n, character) in row.characters.iter().enumerate() {
        let middle = (character.columns.start + character.columns.end) / 2;
        assert!(middle.abs_diff(55 + 90 * n as u32) <= 2, "{character:?}");
        assert!(character.rows.start.abs_diff(54) <= 3 && character.rows.end.abs_diff(146) <= 3, "{character:?}");
    }
    assert_eq!(row.steps.last().unwrap().image.dim(), (28, 3 * 28 + 2 * 2));
    assert_eq!(prepare_photo(&photo, Layout::Single).characters.len(), 1);
}

/// However far apart, up to three times their height.
#[test]
fn two_lines_of_writing_are_refused() {
    for gap in [80, 120, 240, 360] {
        for n_columns in [1, 2, 3] {
            let strokes: Vec<Stroke> = (0..2 * n_columns)
                .flat_map(|place| {
                    let (down, across) = ((place % 2 * (130 + gap)) as f32, (place / 2 * 140) as f32);
                    SEVEN.map(|((top, left), (bottom, right), thickness)| {
                        ((top + down, left + across), (bottom + down, right + across), thickness)
                    })
                })
                .collect();
            let photo = page(440 + gap, 600, &strokes).into();
            let refusal = prepare_photo(&photo, Layout::Row).refusal.map(|error| error.to_string()).unwrap_or_default();
            assert!(refusal.contains("two lines"), "{n_columns} in a line, {gap} pixels apart: {refusal:?}");
            assert!(prepare_photo(&photo, Layout::Single).refusal.is_none());
        }
    }
}

/// The digit with its ink where it lies in MNIST's images.
fn as_mnists(digit: &Array2<u8>) -> Array2<u8> {
    prepare_digit(&photo_of(digit, Scene::DarkOnLight)).unwrap().image
}

#[test]
fn images_that_are_ready_stay_as_they_are_and_dark_ones_are_turned_round() {
    for digit in synthetic_digits(20, 9).images.outer_iter() {
        let ready = photo_of(&digit.to_owned(), Scene::AsItIs);
        assert_eq!(prepare_digit(&ready).unwrap().image, digit);
        let as_mnists = as_mnists(&digit.to_owned());
        let mut dark = photo_of(&as_mnists, Scene::AsItIs);
        dark.invert();
        assert_eq!(prepare_digit(&dark).unwrap().image, as_mnists);
    }
}

/// Drawn somewhere in a field of MNIST's size: no image of MNIST's, though it is as large.
#[test]
fn small_pictures_whose_ink_lies_elsewhere_are_prepared() {
    for digit in synthetic_digits(20, 9).images.outer_iter() {
        let digit = as_mnists(&digit.to_owned());
        let mut elsewhere = Array2::zeros((28, 28));
        elsewhere.slice_mut(s![3.., 3..]).assign(&digit.slice(s![..25, ..25]));
        let light = photo_of(&elsewhere, Scene::AsItIs);
        let mut dark = light.clone();
        dark.invert();
        // A light one may be of a set in which ink lies so, unless that is MNIST.
        assert_eq!(prepare_digit(&light).unwrap().image, elsewhere);
        for prepared in [prepare_photo(&dark, Layout::Row), prepare_photo_for_mnist(&light, Layout::Row)] {
            let image = &prepared.characters[0].image;
            let distance =
                |other: &Array2<u8>| image.iter().zip(other).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>();
            assert!(distance(&digit) < 0.5 * distance(&elsewhere));
        }
    }
}

#[test]
fn light_ink_on_a_transparent_ground_is_read() {
    let digit = synthetic_digits(1, 3).images.index_axis_move(ndarray::Axis(0), 0);
    let dark = photo_of(&digit, Scene::Transparent).into_rgba8();
    let expected = prepare_digit(&dark.clone().into()).unwrap();
    let light =
        RgbaImage::from_fn(dark.width(), dark.height(), |x, y| Rgba([255, 255, 255, dark.get_pixel(x, y).0[3]]));
    let found = prepare_digit(&light.into()).unwrap();
    assert!(correlation(&expected.image, &found.image) > 0.9);
    assert!(found.steps[0].explanation.contains("transparent ground is light"), "{}", found.steps[0].explanation);
}

#[test]
fn a_refusal_comes_with_the_steps_up_to_it() {
    let refused = prepare_photo(&GrayImage::from_pixel(100, 100, Luma([200])).into(), Layout::Row);
    assert!(refused.refusal.unwrap().found().starts_with("a blank page"));
    assert_eq!(refused.steps.iter().map(|step| step.name).collect::<Vec<_>>(), ["grey"]);
}

#[test]
fn a_jpeg_picture_is_refused_wherever_it_is_cut_off() {
    let mut bytes = Vec::new();
    let photo = DynamicImage::from(page(60, 80, &[((10.0, 20.0), (50.0, 40.0), 8.0)]));
    photo.write_to(&mut std::io::Cursor::new(&mut bytes), mnist_io::image::ImageFormat::Jpeg).unwrap();
    assert!(mnist_io::parse_image(std::io::Cursor::new(&bytes)).is_ok());
    for length in 3..bytes.len() {
        let error = mnist_io::parse_image(std::io::Cursor::new(&bytes[..length])).unwrap_err();
        assert_eq!((error.kind(), error.found()), (ErrorKind::Data, "one that is cut off"), "{length} bytes");
    }
    // What other programs leave behind the end does no harm.
    bytes.extend([0; 40]);
    assert!(mnist_io::parse_image(std::io::Cursor::new(&bytes)).is_ok());
}

#[test]
fn a_file_of_another_format_is_called_what_it_is() {
    let files: [&[u8]; 11] = [
        b"",
        b"<!DOCTYPE html><html>",
        b"version https://git-lfs.github.com/spec/v1\n",
        b"\0\0\0\x18ftypheic\0\0\0\0",
        b"\0\0\0\x18ftypavif\0\0\0\0",
        b"\0\0\0\x18ftypmp42\0\0\0\0",
        b"II*\0\x08\0\0\0",
        b"%PDF-1.7",
        b"<svg xmlns=",
        b"PK\x03\x04",
        b"nothing of these",
    ];
    let texts: Vec<String> =
        files.iter().map(|file| mnist_io::parse_image(std::io::Cursor::new(file)).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn pictures_of_all_formats_are_read() {
    use mnist_io::image::ImageFormat;
    let photo = DynamicImage::from(page(60, 80, &[((10.0, 20.0), (50.0, 40.0), 8.0)]));
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Gif] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let coloured = DynamicImage::from(photo.to_rgba8());
        let written = if format == ImageFormat::Jpeg { &photo } else { &coloured };
        written.write_to(&mut bytes, format).unwrap();
        bytes.set_position(0);
        let read = mnist_io::parse_image(bytes).unwrap();
        let difference =
            read.to_luma8().iter().zip(photo.to_luma8().iter()).map(|(one, other)| one.abs_diff(*other)).max();
        assert!(difference.unwrap() < 40, "{format:?}: {difference:?}");
    }
}
