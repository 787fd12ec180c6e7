//! Text with placeholders. Only `{uuid}`, `{n}` and `{unit}` are special: every other brace is itself, since bodies are JSON.

use uuid::Uuid;

const PLACEHOLDERS: [(&[u8], Piece); 3] = [
    (b"{uuid}", Piece::Uuid),
    (b"{n}", Piece::Number),
    (b"{unit}", Piece::Unit),
];

/// What the placeholders of one request stand for: the same values wherever they appear in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values {
    /// `{n}`: the place of the request in the dispatch order, from 0.
    pub(super) number: u64,
    /// `{uuid}`: fresh for each request.
    pub(super) uuid: Uuid,
    /// `{unit}`: the same for all requests of a unit, fresh for each unit.
    pub(super) unit: Uuid,
}

/// Text that was cut at its placeholders once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Uuid,
    Number,
    Unit,
}

impl Template {
    /// Cannot fail: what is no placeholder is text.
    pub(super) fn new(text: &[u8]) -> Self {
        let mut pieces = Vec::new();
        let mut plain = Vec::new();
        let mut rest = text;
        while let Some((first, tail)) = rest.split_first() {
            let found = PLACEHOLDERS
                .iter()
                .find_map(|(name, piece)| Some((rest.strip_prefix(*name)?, piece)));
            if let Some((after, piece)) = found {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(piece.clone());
                rest = after;
            } else {
                plain.push(*first);
                rest = tail;
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Template { pieces }
    }

    /// Is it the same for every request?
    pub(super) fn is_constant(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Text(_)))
    }

    /// The text for one request.
    pub(super) fn render(&self, values: &Values) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Uuid => append(&mut out, values.uuid),
                Piece::Unit => append(&mut out, values.unit),
                Piece::Number => out.extend_from_slice(values.number.to_string().as_bytes()),
            }
        }
        out
    }
}

fn append(out: &mut Vec<u8>, uuid: Uuid) {
    let mut buffer = Uuid::encode_buffer();
    out.extend_from_slice(uuid.hyphenated().encode_lower(&mut buffer).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> String {
        let values = Values {
            number: 7,
            uuid: Uuid::from_u128(0xABCD),
            unit: Uuid::from_u128(0xEF),
        };
        String::from_utf8(Template::new(text.as_bytes()).render(&values)).unwrap()
    }

    #[test]
    fn placeholders_are_filled_wherever_they_stand() {
        assert_eq!(
            rendered("{n}-{uuid}-{n}"),
            "7-00000000-0000-0000-0000-00000000abcd-7"
        );
        assert_eq!(rendered("a={unit}"), "a=00000000-0000-0000-0000-0000000000ef");
    }

    #[test]
    fn other_braces_are_json_and_stay() {
        assert_eq!(
            rendered(r#"{"n":{n},"x":{},"y":"{uid}{"#),
            r#"{"n":7,"x":{},"y":"{uid}{"#
        );
    }

    #[test]
    fn text_without_placeholders_is_constant() {
        assert!(Template::new(br#"{"amount":1}"#).is_constant());
        assert!(Template::new(b"").is_constant());
        assert!(!Template::new(b"key-{n}").is_constant());
    }
}
