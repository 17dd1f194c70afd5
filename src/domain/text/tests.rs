//! Tests of folding and of search tokens together: most are about what finds what.

use std::collections::HashSet;

use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::fold::SORT_KEY_MAX_CHARS;
use super::tokens::TOKEN_MAX_CHARS;
use super::*;

fn finds(text: &str, document: &str) -> bool {
    let Query { exact, prefix, any } = query(text);
    let tokens = document_tokens(document);
    let has = |exact: &[String], prefix: &Option<String>| {
        exact.iter().all(|token| tokens.contains(token))
            && prefix.as_ref().is_none_or(|prefix| tokens.iter().any(|token| token.starts_with(prefix)))
    };
    has(&exact, &prefix) && any.iter().all(|any| any.iter().any(|words| has(&words.exact, &words.prefix)))
}

#[test]
fn pairs_are_read_as_the_stretches_that_they_cover() {
    for (text, other, expected) in [
        ("エンジニア", "エンジニア", vec!["エンジニア"]),
        ("エンジニア採用", "採用エンジニア", vec!["エンジニア", "採用"]),
        ("採用担当", "採用", vec!["採用"]),
        ("東京都", "京都", vec!["京都"]),
        ("中国語", "中文", vec!["中"]),
        ("英語", "中国語", vec!["語"]),
        ("猫", "猫", vec!["猫"]),
        ("ハハハ", "ハハ", vec!["ハハハ"]),
        ("hiring エンジニア in 東京", "エンジニア hiring", vec!["hiring", "エンジニア"]),
        ("O'Brien's 🎉", "obriens brien 🎉", vec!["obriens", "brien", "🎉"]),
        ("rust hiring, rust", "Rust", vec!["rust"]),
        ("採用", "用採", vec!["採", "用"]),
        ("…", "…", vec![]),
    ] {
        let others = tokens(other);
        let shared: Vec<String> = tokens(text).into_iter().filter(|token| others.contains(token)).collect();
        assert_eq!(readable_tokens(text, &shared), expected, "{text} {other}");
    }
}

#[test]
fn folding_keeps_letters_and_drops_accents() {
    for (text, folded) in [
        ("", ""),
        (" \t\u{a0}\n", ""),
        ("  Ada   LOVELACE\n", "ada lovelace"),
        ("Müller-Lüdenscheidt", "muller-ludenscheidt"),
        ("Łukasz Wałęsa", "lukasz walesa"),
        ("Søren Kierkegaard", "soren kierkegaard"),
        ("Straße STRASSE Große ẞ", "strasse strasse grosse ss"),
        ("Þórður Ðð Ægir Œuvre", "thordur dd aegir oeuvre"),
        ("Đỗ Nguyễn Văn Hằng", "do nguyen van hang"),
        ("İstanbul Iğdır ılık", "istanbul igdir ilik"),
        ("Əliyev", "aliyev"),
        ("ħ ŋ ŧ", "h n t"),
        ("ΟΔΥΣΣΕΎΣ Οδυσσεύς", "οδυσσευσ οδυσσευσ"),
        ("Ёлкин Йод Їжак", "елкин иод іжак"),
        ("שָׁלוֹם", "שלום"),
        ("مُحَمَّد أحمد محـــمد", "محمد احمد محمد"),
        ("علی کریمی", "علي كريمي"),
        ("Ｗｉｄｅ　１２３", "wide 123"),
        ("ｶﾞｷﾞ が ガ", "ガギ が ガ"),
        ("か\u{3099}", "が"),
        ("김철수", "김철수"),
        ("김철수", "김철수"),
        ("हिन्दी", "हिन्दी"),
        ("ﬁancé Rust™ ½", "fiance rust 1\u{2044}2"),
        ("O’Brien O´Brien O`Brien Oʼbrien", "o'brien o'brien o'brien o'brien"),
        ("so\u{ad}ft z\u{200b}w", "soft zw"),
        ("a\u{0}b", "a b"),
        ("e\u{301}\u{327}", "e"),
    ] {
        assert_eq!(fold(text), folded, "{text:?}");
    }
}

#[test]
fn folding_any_one_character_twice_changes_nothing() {
    // Without the ideographs and syllables, which all behave alike.
    for c in ('\0'..='\u{33ff}').chain('\u{a000}'..='\u{abff}').chain('\u{f900}'..='\u{1ffff}') {
        let once = fold(&c.to_string());
        assert_eq!(fold(&once), once, "{c:?} U+{:04X}", u32::from(c));
    }
}

#[test]
fn a_text_has_these_tokens() {
    for (text, expected) in [
        ("", vec![]),
        ("  . , ' \" — … “” 、。・", vec![]),
        ("Ada Lovelace, Ada", vec!["ada", "lovelace"]),
        ("ada@lovelace.example", vec!["ada", "lovelace", "example"]),
        ("O'Brien", vec!["obrien", "o", "brien"]),
        ("d’O’Brien", vec!["dobrien", "d", "obrien", "o", "brien"]),
        ("'quoted' rock''n", vec!["quoted", "rock", "n"]),
        ("C++ / Rust 2024", vec!["c", "rust", "2024"]),
        ("田", vec!["田"]),
        ("田中", vec!["田", "田中", "中"]),
        ("東京都", vec!["東", "東京", "京都", "都"]),
        ("ジョン・スミス", vec!["シ\u{3099}", "ジョ", "ョン", "ン", "ス", "スミ", "ミス"]),
        ("スーパー", vec!["ス", "スー", "ーパ", "パー", "ー"]),
        ("김철수", vec!["김", "김철", "철수", "수"]),
        ("第3回Rust勉強会", vec!["第", "3", "回", "rust", "勉", "勉強", "強会", "会"]),
        ("佐々木", vec!["佐", "佐々", "々木", "木"]),
        ("हिन्दी भाषा", vec!["हिन्दी", "भाषा"]),
        ("สวย", vec!["ส", "สว", "วย", "ย"]),
        ("🎉🎉party👍🏽", vec!["🎉", "party", "👍"]),
        ("❤️ 1️⃣ ☎", vec!["❤", "1", "☎"]),
        ("👩‍💻", vec!["👩", "💻"]),
        ("🇩🇪", vec!["🇩", "🇪"]),
        ("€5 © ±", vec!["€", "5", "©", "±"]),
        ("🅰b", vec!["🅰", "b"]),
    ] {
        let expected: Vec<String> = expected.iter().map(|t| t.nfc().collect()).collect();
        assert_eq!(tokens(text), expected, "{text:?}");
    }
}

#[test]
fn a_long_word_is_cut_and_still_found() {
    let word = "é".repeat(100);
    assert_eq!(tokens(&word), vec!["e".repeat(TOKEN_MAX_CHARS)]);
    assert!(finds(&word, &word));
    assert!(finds(&format!("{word} x"), &format!("{word} xylophone")));
}

#[test]
fn a_query_asks_for_words_and_the_beginning_of_the_last() {
    for (text, exact, prefix) in [
        ("", vec![], None),
        ("\"-* :", vec![], None),
        ("ada", vec![], Some("ada")),
        ("ada lov", vec!["ada"], Some("lov")),
        ("\"Ada\" AND lov*", vec!["ada", "and"], Some("lov")),
        ("title:ada -x", vec!["title", "ada"], Some("x")),
        ("new york new", vec!["new", "york"], None),
        ("O'Br", vec![], Some("obr")),
        ("O'Brien Pat", vec!["obrien"], Some("pat")),
        ("田", vec![], Some("田")),
        ("田中", vec!["田中"], None),
        ("東京都", vec!["東京", "京都"], None),
        ("田中 東", vec!["田中"], Some("東")),
        ("李 ada", vec!["李"], Some("ada")),
        ("ada 🎉", vec!["ada", "🎉"], None),
    ] {
        let expected = Query {
            exact: exact.into_iter().map(String::from).collect(),
            prefix: prefix.map(String::from),
            any: vec![],
        };
        assert_eq!(query(text), expected, "{text:?}");
    }
}

#[test]
fn a_word_is_found_in_its_other_spellings() {
    for (text, document) in [
        ("Mueller", "Jörg Müller"),
        ("Müller", "Joerg Mueller"),
        ("muel", "Mu\u{308}ller"),
        ("joerg mull", "Jörg Müller"),
        ("Haakon", "Håkon"),
        ("Søren", "Soeren"),
        ("おおた", "オオタ"),
        ("オオタ みつる", "ｵｵﾀ ミツル"),
        ("高橋", "髙橋"),
        ("渡邊", "渡辺"),
        ("陈伟", "陳偉"),
        ("hanspeter", "Hans-Peter Kim"),
        ("Hans-Peter", "Hanspeter Kim"),
        ("Hans-Peter Kim", "Hanspeter Kim"),
        ("hans-pet", "Hans-Peter"),
        ("peter", "Hans-Peter"),
        ("+48 512 345 678", "48512345678 512345678 345678"),
        ("512 345", "48512345678 512345678 345678"),
        ("(512) 34", "48512345678 512345678 345678"),
        ("0512 345 678", "48512345678 512345678 345678"),
        ("512345 dorota", "Dorota 48512345678 512345678 345678"),
        ("2024-10", "2024-10-05"),
        ("10 rust", "rust 10"),
    ] {
        assert!(finds(text, document), "{text:?} in {document:?}");
    }
    for (text, document) in
        [("512 999", "48512345678 512345678"), ("hans-paul", "Hans-Peter"), ("2024-11", "2024-10-05")]
    {
        assert!(!finds(text, document), "{text:?} in {document:?}");
    }
}

#[test]
fn what_people_type_finds_what_they_mean() {
    for (text, document) in [
        ("obrien", "Pat O'Brien"),
        ("o'brien", "Pat O’Brien"),
        ("o brien", "Pat O'Brien"),
        ("O'", "Pat O'Brien"),
        ("brien", "Pat O'Brien"),
        ("o'brien", "Pat Obrien"),
        ("walesa", "Lech Wałęsa"),
        ("Wałęsa", "Lech Walesa"),
        ("mull", "Jörg Müller"),
        ("strasse", "Hauptstraße Straße 5"),
        ("中", "田中"),
        ("田中", "田中太郎様"),
        ("太郎", "田中太郎様"),
        ("様", "田中太郎様"),
        ("李 明", "李明"),
        ("김 철수", "김철수"),
        ("李 google", "李明 Google"),
        ("🎉", "party🎉"),
        ("👍", "👍🏿"),
        ("❤", "I ❤️ Rust"),
    ] {
        assert!(finds(text, document), "{text:?} in {document:?}");
    }
    for (text, document) in [("京東", "東京"), ("が", "か"), ("ada lovelace", "Ada Byron"), ("love", "glove")]
    {
        assert!(!finds(text, document), "{text:?} in {document:?}");
    }
}

#[test]
fn a_sort_key_is_the_beginning_of_the_folded_text() {
    assert_eq!(sort_key(" Ärzte "), "arzte");
    assert_eq!(sort_key(&"ß".repeat(150)), "s".repeat(200));
    assert_eq!(sort_key(&format!("{} b", "a".repeat(199))), "a".repeat(199));
    assert!(sort_key("Ärzte") < sort_key("Bär"));
}

/// Text dense in what the rules are about.
fn texts() -> impl Strategy<Value = String> {
    let chars = prop_oneof![
        3 => prop::char::range('A', 'z'),
        2 => prop::sample::select(" '’´.-\"*: \u{a0}\t".chars().collect::<Vec<_>>()),
        2 => prop::sample::select("éßŁøΣςйёאָمُّŋ".chars().collect::<Vec<_>>()),
        2 => prop::sample::select("田中東京がかガｶﾞ゛々ー김철\u{1100}\u{1161}\u{11a8}\u{3099}".chars().collect::<Vec<_>>()),
        2 => prop::sample::select("हिन्दीสวัสดี".chars().collect::<Vec<_>>()),
        2 => prop::sample::select("🎉👍🏽🇩🇪❤\u{fe0f}\u{200d}€©🅰".chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ];
    prop::collection::vec(chars, 0..24).prop_map(String::from_iter)
}

proptest! {
    #[test]
    fn folding_is_idempotent(text in prop_oneof![texts(), any::<String>()]) {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }

    #[test]
    fn the_short_way_for_ascii_folds_like_the_long_one(text in "[ -~\t\n]{0,20}") {
        let expected = format!("{} e", fold(&text));
        prop_assert_eq!(expected.trim_start(), fold(&format!("{text} é")));
    }

    #[test]
    fn case_and_composition_do_not_matter(text in texts()) {
        prop_assert_eq!(fold(&text), fold(&text.nfd().collect::<String>()));
        prop_assert_eq!(fold(&text), fold(&text.nfc().collect::<String>()));
    }

    #[test]
    fn tokens_are_plain_short_and_distinct(text in prop_oneof![texts(), any::<String>()]) {
        let tokens = tokens(&text);
        let distinct: HashSet<_> = tokens.iter().collect();
        prop_assert_eq!(distinct.len(), tokens.len());
        for token in &tokens {
            prop_assert!(!token.is_empty() && token.chars().count() <= TOKEN_MAX_CHARS);
            for c in token.chars() {
                prop_assert!(!c.is_whitespace() && !c.is_control());
                prop_assert!(!c.is_ascii() || c.is_ascii_lowercase() || c.is_ascii_digit());
            }
        }
    }

    #[test]
    fn all_tokens_of_a_run_are_the_run(run in "[一-十가-각あ-お]{1,12}") {
        prop_assert_eq!(readable_tokens(&run, &tokens(&run)), [fold(&run)]);
    }

    #[test]
    fn a_text_finds_itself(text in prop_oneof![texts(), any::<String>()]) {
        prop_assert!(finds(&text, &text));
        prop_assert_eq!(query(&text) == Query::default(), tokens(&text).is_empty());
    }

    #[test]
    fn the_beginning_of_any_word_finds_the_text(text in texts(), length in 1usize..12) {
        let folded = fold(&text);
        for word in folded.split(' ') {
            let beginning: String = word.chars().take(length).collect();
            prop_assert!(finds(&beginning, &text), "{:?}", beginning);
        }
    }

    #[test]
    fn words_in_any_order_find_the_text(mut words in prop::collection::vec("[a-zé]{1,8}", 1..5)) {
        let text = words.join(" ");
        words.reverse();
        prop_assert!(finds(&words.join(" "), &text));
    }

    #[test]
    fn any_stretch_of_an_unspaced_run_finds_it(run in "[一-十가-각あ-ん]{1,12}", from in 0usize..12, length in 1usize..12) {
        let stretch: String = run.chars().skip(from).take(length).collect();
        prop_assert!(finds(&stretch, &run), "{:?}", stretch);
    }

    #[test]
    fn sort_keys_are_short_and_final(text in any::<String>()) {
        let key = sort_key(&text);
        prop_assert!(key.chars().count() <= SORT_KEY_MAX_CHARS);
        prop_assert_eq!(sort_key(&key), key);
    }
}
