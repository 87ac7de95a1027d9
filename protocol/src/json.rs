//! Reading JSON (RFC 8259), value by value.
//!
//! The page's module has to be small, and what serde makes for reading is several times as large: a
//! reader of each kind of input for each type. Here a type's reader is one function, and all that
//! they share is there once.
//!
//! Members that a type does not know are passed over: a later build may send them. Of two members
//! of the same name the last one holds.
//!
//! It is one file: the reader, and how it reads each type of JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// How many arrays and objects may be inside of each other.
const DEEPEST: usize = 100;

/// The one error that more text may mend.
const CUT: &str = "the text ends too early";

/// A type that is read from JSON.
pub trait FromJson: Sized {
    /// The next value of `reader`.
    ///
    /// A reader keeps its first error, and [`read`] returns that in place of the value. So an error
    /// needs no care here: whatever is read after it is empty, and ends.
    fn from_json(reader: &mut Reader<'_>) -> Self;
}

/// Reads a text that is one value.
pub fn read<T: FromJson>(text: &[u8]) -> Result<T, Error> {
    let mut reader = Reader::new(text);
    let value = reader.read();
    reader.end()?;
    Ok(value)
}

/// Reads the value that a text begins with, and says how long it is. `None`: more text has to come.
pub(crate) fn read_first<T: FromJson>(text: &[u8]) -> Result<Option<(T, usize)>, Error> {
    let mut reader = Reader::new(text);
    let value = reader.read();
    match reader.error {
        None => Ok(Some((value, reader.at))),
        Some(error) if error.wrong == CUT => Ok(None),
        Some(error) => Err(error),
    }
}

/// Why a text cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The member whose value it is, behind those that it is inside of: `data.count`.
    member: String,
    wrong: &'static str,
    /// How many bytes come before, where it is one place that is wrong.
    at: Option<usize>,
}

impl Error {
    /// An error in the text as a whole.
    pub(crate) fn new(wrong: &'static str) -> Self {
        Self {
            member: String::new(),
            wrong,
            at: None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.member.is_empty() {
            write!(f, "{}: ", self.member)?;
        }
        f.write_str(self.wrong)?;
        self.at.map_or(Ok(()), |at| write!(f, " (byte {at})"))
    }
}

impl std::error::Error for Error {}

/// Reads a text from its start to its end.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a [u8],
    /// What comes next.
    at: usize,
    /// The arrays and objects that have begun and not ended.
    open: Vec<Open<'a>>,
    /// The first one. From then on `at` is the end of the text.
    error: Option<Error>,
}

/// An array or object that is being read.
#[derive(Debug)]
struct Open<'a> {
    is_empty: bool,
    /// The member whose value comes next; empty in an array.
    member: Cow<'a, str>,
    /// What the object must have, and a bit for each that it has.
    required: &'static [&'static str],
    found: u32,
}

impl<'a> Reader<'a> {
    /// At the start of a text.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            open: Vec::new(),
            error: None,
        }
    }

    /// That nothing was wrong, and that nothing more comes.
    pub(crate) fn end(mut self) -> Result<(), Error> {
        self.pass_space();
        if self.at < self.text.len() {
            self.fail("the text goes on after its end");
        }
        self.error.map_or(Ok(()), Err)
    }

    /// The next value.
    pub fn read<T: FromJson>(&mut self) -> T {
        T::from_json(self)
    }

    /// Begins an object, which must have these members: at most 32.
    pub fn object(&mut self, required: &'static [&'static str]) {
        self.begin(b'{', "not an object", required);
    }

    /// The name of the object's next member, whose value has to be read then or to be passed over;
    /// `None` at its end.
    pub fn member(&mut self) -> Option<&str> {
        if !self.goes_on(b'}') {
            return None;
        }
        let name = self.text();
        self.expect(b':', "no colon after the name");
        let open = self.open.last_mut()?;
        if let Some(place) = open.required.iter().position(|known| *known == name) {
            open.found |= 1 << place;
        }
        open.member = name;
        self.error.is_none().then_some(&*open.member)
    }

    /// Begins an array.
    pub fn array(&mut self) {
        self.begin(b'[', "not an array", &[]);
    }

    /// Whether the array has one more value, which has to be read then or to be passed over.
    pub fn item(&mut self) -> bool {
        self.goes_on(b']')
    }

    /// Passes over a value.
    pub fn skip(&mut self) {
        match self.peek() {
            b'{' => {
                self.object(&[]);
                while self.member().is_some() {
                    self.skip();
                }
            }
            b'[' => {
                self.array();
                while self.item() {
                    self.skip();
                }
            }
            b'"' => drop(self.text()),
            b't' | b'f' => drop(self.read::<bool>()),
            b'n' if self.null() => {}
            b'-' | b'0'..=b'9' => drop(self.number()),
            _ => self.fail_or_cut("not a value"),
        }
    }

    /// Passes over a value and returns its text.
    pub(crate) fn raw(&mut self) -> &'a [u8] {
        self.pass_space();
        let start = self.at;
        self.skip();
        &self.text[start..self.at]
    }

    /// Whether the next value is a string.
    pub(crate) fn is_string(&mut self) -> bool {
        self.peek() == b'"'
    }

    /// The next value, which is a string.
    pub fn text(&mut self) -> Cow<'a, str> {
        self.expect(b'"', "not a string");
        let start = self.at;
        let mut is_escaped = false;
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..b' ');
            self.at += rest.iter().take_while(is_plain).count();
            match self.byte() {
                b'"' => break,
                b'\\' => {
                    is_escaped = true;
                    self.at += 2;
                }
                _ => {
                    self.fail_or_cut("a control character in a string");
                    return Cow::Borrowed("");
                }
            }
        }
        let text = str::from_utf8(&self.text[start..self.at]);
        self.at += 1;
        let text = match text {
            Ok(text) if is_escaped => unescaped(text).map(Cow::Owned),
            text => text.ok().map(Cow::Borrowed),
        };
        text.unwrap_or_else(|| {
            self.at = start;
            self.fail("a string with a wrong escape or without UTF-8");
            Cow::Borrowed("")
        })
    }

    /// Says that the value that comes next, or the one before, is none of its type.
    pub fn fail(&mut self, wrong: &'static str) {
        if self.error.is_none() {
            let names = self.open.iter().map(|open| &*open.member);
            let names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
            self.error = Some(Error {
                member: names.join("."),
                wrong,
                at: Some(self.at.min(self.text.len())),
            });
        }
        self.at = self.text.len();
    }

    /// The same, where the end of the text says nothing of what would have come.
    fn fail_or_cut(&mut self, wrong: &'static str) {
        let is_cut = self.at >= self.text.len();
        self.fail(if is_cut { CUT } else { wrong });
    }

    /// The byte that comes next; 0, which stands for itself nowhere in JSON, at the end.
    fn byte(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn pass_space(&mut self) {
        while matches!(self.byte(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
    }

    /// The first byte of what comes next.
    fn peek(&mut self) -> u8 {
        self.pass_space();
        self.byte()
    }

    fn expect(&mut self, byte: u8, wrong: &'static str) {
        if self.peek() == byte {
            self.at += 1;
        } else {
            self.fail_or_cut(wrong);
        }
    }

    fn begin(&mut self, start: u8, wrong: &'static str, required: &'static [&'static str]) {
        self.expect(start, wrong);
        if self.open.len() >= DEEPEST {
            self.fail("too many values inside of each other");
        }
        self.open.push(Open {
            is_empty: true,
            member: Cow::Borrowed(""),
            required,
            found: 0,
        });
    }

    /// Whether an array or object has more. It passes over the comma, or the end.
    fn goes_on(&mut self, end: u8) -> bool {
        let next = self.peek();
        let Some(open) = self.open.last_mut() else {
            return false;
        };
        let is_empty = std::mem::take(&mut open.is_empty);
        if next == end {
            let mut required = open.required.iter().enumerate();
            if let Some((_, name)) = required.find(|(place, _)| open.found & (1 << place) == 0) {
                open.member = Cow::Borrowed(name);
                self.fail("missing");
            } else {
                self.at += 1;
            }
            self.open.pop();
            return false;
        }
        if next == b',' && !is_empty {
            self.at += 1;
        } else if !is_empty {
            self.fail_or_cut("neither a comma nor an end");
        }
        self.error.is_none()
    }

    /// Passes over this word where it comes next.
    fn word(&mut self, word: &'static str) -> bool {
        self.pass_space();
        let rest = &self.text[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return true;
        }
        if word.as_bytes().starts_with(rest) {
            self.fail(CUT);
        }
        false
    }

    /// Passes over a `null` where one comes next.
    fn null(&mut self) -> bool {
        self.word("null")
    }

    /// The next value, which is a number.
    fn number(&mut self) -> &'a str {
        self.pass_space();
        let start = self.at;
        self.at += usize::from(self.byte() == b'-');
        let mut is_number = match self.byte() {
            b'0' => {
                self.at += 1;
                true
            }
            _ => self.digits(),
        };
        if is_number && self.byte() == b'.' {
            self.at += 1;
            is_number = self.digits();
        }
        if is_number && matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), b'+' | b'-'));
            is_number = self.digits();
        }
        if !is_number {
            self.fail_or_cut("not a number");
            return "";
        }
        str::from_utf8(&self.text[start..self.at]).unwrap_or_default()
    }

    /// Passes over digits, and says whether there were any.
    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        self.at > start
    }

    /// What a number's text is read as; an error where that cannot hold it.
    fn fits<T: Default>(&mut self, number: Option<T>) -> T {
        number.unwrap_or_else(|| {
            self.fail("not a number of the expected kind");
            T::default()
        })
    }
}

/// A string's text without escapes; `None` where one is wrong.
fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut escape = escape.chars();
        plain.push(match escape.next()? {
            character @ ('"' | '\\' | '/') => character,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => match hexadecimal(&mut escape)? {
                // The first half of a pair that stands for one character.
                high @ 0xd800..0xdc00 => {
                    if escape.next()? != '\\' || escape.next()? != 'u' {
                        return None;
                    }
                    let low = hexadecimal(&mut escape)?.checked_sub(0xdc00)?;
                    if low >= 0x400 {
                        return None;
                    }
                    char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)?
                }
                code => char::from_u32(code)?,
            },
            _ => return None,
        });
        rest = escape.as_str();
    }
    plain.push_str(rest);
    Some(plain)
}

/// The number that the next four characters are.
fn hexadecimal(characters: &mut std::str::Chars<'_>) -> Option<u32> {
    let mut number = 0;
    for _ in 0..4 {
        number = number * 16 + characters.next()?.to_digit(16)?;
    }
    Some(number)
}

/// A number's value. Up to 15 digits and powers of ten up to 22 it is the nearest one; beyond, the
/// last digits may differ. `str::parse` is exact, by tables of 10 kB.
fn float(number: &str) -> f64 {
    let (number, power) = number.split_once(['e', 'E']).unwrap_or((number, ""));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut power = match power.strip_prefix('-') {
        Some(power) => -small(power),
        None => small(power),
    };
    let mut value = 0_u64;
    let mut is_full = false;
    for (digits, is_fraction) in [(whole, false), (fraction, true)] {
        for digit in digits.bytes().filter(u8::is_ascii_digit) {
            let longer = (value.checked_mul(10))
                .and_then(|value| value.checked_add(u64::from(digit - b'0')))
                .filter(|_| !is_full);
            is_full = longer.is_none();
            value = longer.unwrap_or(value);
            power += i32::from(is_full) - i32::from(is_fraction);
        }
    }
    let mut value = value as f64;
    while power != 0 && value != 0.0 && value.is_finite() {
        let step = power.clamp(-22, 22);
        // Powers of ten are exact up to this one.
        let ten = (0..step.abs()).fold(1.0, |ten, _| ten * 10.0);
        value = if step < 0 { value / ten } else { value * ten };
        power -= step;
    }
    if number.starts_with('-') {
        -value
    } else {
        value
    }
}

/// A power of ten; of all that are beyond every number, one that is.
fn small(power: &str) -> i32 {
    match power.strip_prefix('+').unwrap_or(power) {
        "" => 0,
        power => power.parse().unwrap_or(100_000).min(100_000),
    }
}

impl FromJson for String {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        reader.text().into_owned()
    }
}

impl FromJson for bool {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let is_true = reader.word("true");
        if !is_true && !reader.word("false") {
            reader.fail("neither true nor false");
        }
        is_true
    }
}

impl FromJson for u64 {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let number = reader.number().parse().ok();
        reader.fits(number)
    }
}

impl FromJson for i64 {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let number = reader.number().parse().ok();
        reader.fits(number)
    }
}

impl FromJson for usize {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let number = reader.read::<u64>().try_into().ok();
        reader.fits(number)
    }
}

impl FromJson for u32 {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let number = reader.read::<u64>().try_into().ok();
        reader.fits(number)
    }
}

impl FromJson for i32 {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let number = reader.read::<i64>().try_into().ok();
        reader.fits(number)
    }
}

impl FromJson for f64 {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let number = Some(float(reader.number()));
        reader.fits(number.filter(|number| number.is_finite()))
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        (!reader.null()).then(|| reader.read())
    }
}

impl<T: FromJson> FromJson for Box<T> {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        Self::new(reader.read())
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut items = Self::new();
        reader.array();
        while reader.item() {
            items.push(reader.read());
        }
        items
    }
}

/// An array of two.
impl<A: FromJson, B: FromJson> FromJson for (A, B) {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        reader.array();
        reader.item();
        let first = reader.read();
        reader.item();
        let second = reader.read();
        if reader.item() {
            reader.fail("more than two");
        }
        (first, second)
    }
}

impl<T: FromJson> FromJson for BTreeMap<String, T> {
    fn from_json(reader: &mut Reader<'_>) -> Self {
        let mut map = Self::new();
        reader.object(&[]);
        while let Some(name) = reader.member() {
            let name = name.to_owned();
            map.insert(name, reader.read());
        }
        map
    }
}
