"""Texts that are hard to cut into words, by name."""

CORPORA: dict[str, list[str]] = {
    "plain": ["The cat sat, on the mat!", "the DOG; a cat's dog", "Mat? mat... mat"],
    "ties": ["b a c", "c b a", "d", "e d e"],
    "empty": ["", "word", "", "   ", ",.;"],
    "none": [],
    "nul": ["a\0 a a\0\0 \0 \0a", "\0", "abcdefg\0 abcdefg abcdefgh abcdefgh\0"],
    "long words": [
        "abcdefgh abcdefghi abcdefghij abcdefgh",
        "x" * 300 + " " + "x" * 301,
        "x" * 300,
    ],
    "chinese": ["我爱北京天安门。天安门上", "我 爱 北京", "，。！"],
    "korean": ["안녕하세요, 세계! 안녕", "안녕하세요 안녕"],
    "emoji": ["👩‍👩‍👧 ok 👍🏽", "❤️ ❤ 🇩🇪", "ok👍"],
    "combining": ["e\u0301 \u00e9 E\u0301", "हिन्दी में हिन्दी", "a\u0300\u0301b"],
    "case": ["İstanbul ISTANBUL ıI", "ΣΑΣ ὈΔΥΣΣΕΎΣ Σ Σα", "ẞ ß SS ǅ \u212aelvin Kelvin"],
    "white space": ["a\tb\nc\rd\x0be\x0cf\x1cg", "a\u00a0b\u2003c\u3000d\u200be", "a\r\n\r\nb"],
    "separators": ["a##b###c#d", "x,#y#,#z", "a__b,,_c"],
    "mixed": ["plain ascii Text", "ünïcode Text, naïve", "ASCII again, text"] * 5,
}
