"""Sheets as platforms hand them out, written by hand after their documentation and exporters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class PlatformSheet(NamedTuple):
    """A sheet for the assignment "Embeddings", out of 15 points.

    `people` are those in it, by name, with what they may be called in a gradebook: as the
    platform's download names them first, then by other ids. `upload` is the sheet with a score of
    SCORES for each, as the platform wants it back.
    """

    name: str
    platform: str
    content: bytes
    people: Mapping[str, tuple[str, ...]]
    upload: bytes


SCORES = ("12.5", "0", "15")

CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Welcome (5511),Embeddings (5512),"
    "Assignments Current Score,Final Score\r\n"
    ",,,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,3.00,15.00,(read only),(read only)\r\n"
    '"Doe, Ann",101,u101,adoe,Lab 1 and Lab 2,3.00,@0@,80.0,80.0\r\n'
    '"Li, Bo",102,u102,bli,Lab 1,,@1@,,\r\n'
    '"=""=Poe, Cy""",103,u103,cpoe,"Lab ""A"", 1",N/A,@2@,,\r\n'
    '"Student, Test",999,,0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f,Lab 1,,,,\r\n'
)
MOODLE = {
    "English": (
        'Identifier,"Full name","Email address",Status,Grade,"Maximum grade",'
        '"Grade can be changed","Last modified (submission)","Last modified (grade)",'
        '"Feedback comments"\n'
        '"Participant 101","Ann Doe",ann@example.org,"Submitted for grading - ",@0@,15.00,Yes,'
        '"Sunday, 1 March 2026, 11:59 PM",-,\n'
        '"Participant 102","Bo Li",bo@example.org,"Submitted for grading - Late",@1@,15.00,Yes,'
        '"Monday, 2 March 2026, 12:59 AM",-,"see ""me"", please"\n'
        '"Participant 103","Cy Poe",cy@example.org,"No submission - ",@2@,15.00,Yes,-,-,\n'
    ),
    "German": (
        'ID;"Vollständiger Name";ID-Nummer;E-Mail-Adresse;Status;Bewertung;Bestwertung;'
        '"Bewertung kann geändert werden";"Zuletzt geändert (Abgabe)"\r\n'
        '"Teilnehmer/in101";"Ann Doe";u101;ann@example.org;"-";@0@;15,00;Ja;"-"\r\n'
        '"Teilnehmer/in102";"Bo Li";;bo@example.org;"-";@1@;15,00;Ja;"-"\r\n'
        '"Teilnehmer/in103";"Cy Poe";u103;cy@example.org;"-";@2@;15,00;Ja;"-"\r\n'
    ),
    "Russian": (
        'Идентификатор,"Полное имя","Адрес электронной почты",Состояние,Группа,Оценка,'
        '"Максимальная оценка","Оценка может быть изменена","Последнее изменение (ответ)",'
        '"Последнее изменение (оценка)"\n'
        'Участник101,"Ann Doe",ann@example.org,"Ответы для оценки - ",А,@0@,"15,00",Да,-,-\n'
        'Участник102,"Bo Li",bo@example.org,"Ответы для оценки - ",А,@1@,"15,00",Да,-,-\n'
        'Участник103,"Cy Poe",cy@example.org,"Нет ответа - ",Б,@2@,"15,00",Да,-,-\n'
    ),
    "Japanese": (
        "ID,フルネーム,メールアドレス,ステータス,評点,最大評点,評点変更の可否,最終更新日時 (提出)\n"
        '"参加者101","Ann Doe",ann@example.org,評定のために提出済み,@0@,15.00,Yes,-\n'
        '"参加者102","Bo Li",bo@example.org,評定のために提出済み,@1@,15.00,Yes,-\n'
        '"参加者103","Cy Poe",cy@example.org,未提出,@2@,15.00,Yes,-\n'
    ),
}
GRADESCOPE = (
    "First Name,Last Name,SID,Email,Sections,Embeddings,Embeddings - Max Points,"
    "Embeddings - Submission Time,Embeddings - Lateness (H:M:S)\n"
    "Ann,Doe,u101,ann@example.org,Lab 1,@0@,15.0,2026-03-01 23:59:00 -0800,00:00:00\n"
    'Bo,Li,u102,bo@example.org,"Lab 1, Lab 2",@1@,15.0,2026-03-02 00:59:00 -0800,01:00:00\n'
    "Cy,Poe,,cy@example.org,,@2@,15.0,,\n"
)
BLACKBOARD = (
    '\ufeff"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Last Access"\t"Availability"\t'
    '"Weighted Total [Total Pts: up to 0 Percentage] |221100"\t'
    '"Embeddings [Total Pts: 15 Score] |221101"\n'
    '"Doe"\t"Ann"\t"adoe"\t"u101"\t"2026-03-01 10:00:00"\t"Yes"\t""\t"@0@"\n'
    '"Li"\t"Bo"\t"b_li"\t"u102"\t"2026-03-01 10:00:00"\t"Yes"\t""\t"@1@"\n'
    '"Poe"\t"Cy"\t"cpoe"\t""\t""\t"Yes"\t""\t"@2@"\n'
    '"Doe_PreviewUser"\t"Ann"\t"tdoe_previewuser"\t""\t""\t"Yes"\t""\t""\n'
)
BLACKBOARD_IN_GERMAN = (
    '\ufeff"Nachname","Vorname","Benutzername","Matrikelnummer","Letzter Zugriff","Verfügbarkeit",'
    '"Embeddings [Gesamtpunkte: 15 Punktzahl] |221101"\r\n'
    '"Doe","Ann","adoe","u101","","Ja","@0@"\r\n'
    '"Li","Bo","b_li","u102","","Ja","@1@"\r\n'
    '"Poe","Cy","cpoe","","","Ja","@2@"\r\n'
)
BRIGHTSPACE = (
    "OrgDefinedId,Username,Last Name,First Name,Email,"
    "Embeddings Points Grade <Numeric MaxPoints:15 Weight:10>,"
    "Embeddings 2 Points Grade <Numeric MaxPoints:20>,Attendance Text Grade <Text>,"
    "Calculated Final Grade Numerator,End-of-Line Indicator\r\n"
    "#u101,#adoe,Doe,Ann,ann@example.org,@0@,,,,#\r\n"
    "#u102,#bli,Li,Bo,bo@example.org,@1@,,,,#\r\n"
    '#u103,#cpoe,Poe,Cy,cy@example.org,@2@,3,"ill, excused",,#\r\n'
    ",,,,,,,,,#\r\n"
)
NBGRADER = (
    "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,embeddings\n"
    "embeddings,,2026-03-01 22:59:00,adoe,Doe,Ann,ann@example.org,,@0@\n"
    "embeddings,,,bli,Li,Bo,bo@example.org,,@1@\n"
    "embeddings,,,cpoe,Poe,Cy,,,@2@\n"
)
EXCEL = (
    "Matrikelnummer;Nachname;Vorname;Embeddings\r\n"
    "u101;Doe;Ann;@0@\r\nu102;Li;Bo;@1@\r\nu103;Poe;Cy;@2@\r\nm999;Müller;Zoë;\r\n"
)

LOGINS = {"Ann Doe": ("adoe", "u101"), "Bo Li": ("b_li", "u102"), "Cy Poe": ("cpoe",)}
PARTICIPANTS = {
    "Ann Doe": ("Ann Doe_101", "101", "ann@example.org"),
    "Bo Li": ("Bo Li_102", "102", "bo@example.org"),
    "Cy Poe": ("Cy Poe_103", "103", "CY@example.org"),
}


def _sheet(
    name: str,
    text: str,
    people: Mapping[str, tuple[str, ...]],
    encoding: str = "utf-8",
    *,
    platform: str = "",
    comma: bool = False,
) -> PlatformSheet:
    empty, full = text, text
    for place, score in enumerate(SCORES):
        number = score.replace(".", ",") if comma else score
        empty = empty.replace(f"@{place}@", "")
        written = f'"{number}"' if comma and "," in number and _commas(text) else number
        full = full.replace(f"@{place}@", written)
    return PlatformSheet(
        name=name,
        platform=platform or name.split()[0],
        content=empty.encode(encoding),
        people=people,
        upload=full.encode(encoding),
    )


def _commas(text: str) -> bool:
    return text.partition("\n")[0].count(",") > text.partition("\n")[0].count(";")


SHEETS = (
    _sheet(
        "canvas",
        CANVAS,
        {
            "Ann Doe": ("doeann_101", "101", "u101", "adoe"),
            "Bo Li": ("libo_102", "102", "U102", "bli"),
            "Cy =Poe": ("poecy_103", "103", "cpoe"),
        },
    ),
    *(
        _sheet(f"moodle in {language}", text, PARTICIPANTS, encoding, comma="15,00" in text)
        for language, text in MOODLE.items()
        for encoding in ("utf-8-sig", "utf-16")
    ),
    _sheet("moodle in Windows-1252", MOODLE["German"], PARTICIPANTS, "cp1252", comma=True),
    _sheet(
        "gradescope",
        GRADESCOPE,
        {
            "Ann Doe": ("u101", "ann@example.org", "Ann Doe_u101"),
            "Bo Li": ("u102", "Bo@example.org"),
            "Cy Poe": ("cy@example.org",),
        },
    ),
    _sheet("blackboard", BLACKBOARD, {
        "Ann Doe": ("Ann Doe_adoe", "adoe", "u101"),
        "Bo Li": ("Bo Li_b_li", "b_li", "u102"),
        "Cy Poe": ("Cy Poe_cpoe", "cpoe"),
    }, "utf-16-le"),
    _sheet("blackboard in German", BLACKBOARD_IN_GERMAN, LOGINS),
    _sheet("brightspace", BRIGHTSPACE, {
        "Ann Doe": ("Ann Doe_70001", "u101", "adoe", "ann@example.org"),
        "Bo Li": ("Bo Li_70002", "u102", "bli"),
        "Cy Poe": ("Cy Poe_70003", "u103", "cpoe"),
    }),
    _sheet("csv of nbgrader", NBGRADER, {
        "Ann Doe": ("adoe", "ann@example.org"), "Bo Li": ("bli",), "Cy Poe": ("cpoe",),
    }),
    _sheet("csv of Excel", EXCEL, {
        "Ann Doe": ("u101",), "Bo Li": ("U102",), "Cy Poe": ("u103",), "Zoë Müller": ("m999",),
    }, "cp1252"),
)  # fmt: skip
