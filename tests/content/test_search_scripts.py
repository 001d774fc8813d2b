"""Every script is found, whether or not it puts spaces between words."""

import pytest

from tests.content.searching import LIBRARY, Searched

TEXTS = {
    "t/chinese": "# 提示缓存\n\n缓存的前缀可以用更低的价格读取。\n",
    "t/japanese": "# プロンプトキャッシュ\n\nキャッシュされた接頭辞は安く読み取れます。\n",
    "t/korean": "# 프롬프트 캐싱\n\n캐시된 접두사를 더 저렴하게 읽습니다.\n",
    "t/russian": "# Кэширование запросов\n\nПример: начало читается дешевле, чем ёлка.\n",
    "t/ukrainian": "# Кешування\n\nПочаток запиту зберігається її сервером.\n",
    "t/greek": "# Προσωρινή μνήμη\n\nΤο πρόθεμα διαβάζεται φθηνότερα από τους διακομιστές.\n",
    "t/french": "# Mise en cache\n\nLe préfixe déjà envoyé coûte moins cher à Noël.\n",
    "t/german": "# Größe der Straße\n\nÜbermäßig große Anfragen.\n",
    "t/thai": "# แคชพรอมต์\n\nอ่านคำนำหน้าที่แคชไว้ในราคาถูกกว่า\n",
    "t/hindi": "# प्रॉम्प्ट कैशिंग\n\nसंग्रहीत उपसर्ग सस्ता पढ़ा जाता है।\n",
    "t/arabic": "# تخزين مؤقت\n\nتُقرأ البادئة المخزنة بسعر أقل.\n",
    "t/mixed": "# API設定ガイド\n\nSet the APIキー before よろしく.\n",
    "t/fullwidth": "# ＡＢＣＤＥ\n\n\uff26\uff27\uff28\n",
}


@pytest.fixture(scope="module")
def library() -> Searched:
    return Searched({**LIBRARY, **TEXTS})


@pytest.mark.parametrize(
    ("query", "uri"),
    [
        ("缓存", "t/chinese"),
        ("如何读取缓存的前缀?", "t/chinese"),
        ("价", "t/chinese"),
        ("キャッシュ", "t/japanese"),
        ("接頭辞を安く", "t/japanese"),
        ("캐시", "t/korean"),
        ("접두사", "t/korean"),
        ("запросы", "t/russian"),
        ("примеры", "t/russian"),
        ("елка", "t/russian"),
        ("запитом серверу", "t/ukrainian"),
        ("μνημη", "t/greek"),
        ("διακομιστής", "t/greek"),
        ("prefixe noel", "t/french"),
        ("PRÉFIXE ENVOYE", "t/french"),
        ("strasse", "t/german"),
        ("grosse", "t/german"),
        ("แคช", "t/thai"),
        ("उपसर्ग", "t/hindi"),
        ("تقرأ", "t/arabic"),
        ("設定", "t/mixed"),
        ("API設定", "t/mixed"),
        ("APIキー", "t/mixed"),
        ("abcde", "t/fullwidth"),
        ("fgh", "t/fullwidth"),
    ],
)
def test_each_script_is_found(library: Searched, query: str, uri: str) -> None:
    assert library.found(query)[0] == uri


def test_the_characters_that_matched_are_named(library: Searched) -> None:
    assert library.hits("缓存呢")[0].matched == ("缓存",)
    assert library.hits("ÉNVOYÉ zebra")[0].matched == ("ÉNVOYÉ",)
