//! The file that slices outlive the program in: one per source, in the private cache folder. Versioned and summed; a file
//! that is damaged, of another version or too long is nothing, and nothing here is ever fatal.

use crate::domain::fault::Fault;
use crate::domain::ids::SourceName;
use crate::domain::slo::ring::{Kind, Ring};
use crate::io::files::atomic::write_atomic;
use crate::io::files::folders::own_folder;
use crate::io::files::read::read_limited;
use crate::io::prometheus::measure::kept::{Key, Shelf, Slot};
use crate::io::store::chain::hex;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// What a file of this layout begins with.
const MAGIC: &[u8; 16] = b"midwatch-slices3";
/// The longest file that is read back: ten thousand objectives.
const LIMIT: u64 = 192 << 20;
/// The most rings of one objective, and slices of one ring.
const RINGS: u64 = 96;
const SLICES: u64 = 100_000;

/// Where the slices of one source are.
#[derive(Clone, Debug)]
pub struct Disk {
    folder: PathBuf,
    path: PathBuf,
}

impl Disk {
    /// A place in a folder, which need not exist. The address is part of the name: another server is another file.
    pub fn new(folder: &Path, source: &SourceName, address: &str) -> Self {
        let safe: String =
            source.0.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(40).collect();
        let hash: String = hex(&Sha256::digest(format!("{source}\0{address}").as_bytes())).chars().take(16).collect();
        Self { folder: folder.to_owned(), path: folder.join(format!("slices-{safe}-{hash}.bin")) }
    }

    /// What was kept.
    pub(super) fn read(&self) -> Shelf {
        read_limited(&self.path, LIMIT).ok().and_then(|bytes| decode(&bytes)).unwrap_or_default()
    }

    /// Keeps slices (0600), instead of what was kept before.
    pub(super) fn write(&self, shelf: &Shelf) -> Result<(), Fault> {
        own_folder(&self.folder)?;
        write_atomic(&self.path, &encode(shelf), 0o600)
    }
}

fn encode(shelf: &Shelf) -> Vec<u8> {
    let bytes: usize = shelf.values().flat_map(|slot| &slot.rings).map(|ring| ring.bytes() + 33).sum();
    let mut out = Vec::with_capacity(64 + shelf.len() * 32 + bytes);
    out.extend_from_slice(MAGIC);
    put(&mut out, shelf.len() as u64);
    for (key, slot) in shelf {
        out.extend_from_slice(key);
        put(&mut out, u64::from(slot.scrape.unwrap_or(0)));
        put(&mut out, slot.rings.len() as u64);
        for ring in &slot.rings {
            let first = ring.oldest().unwrap_or(0);
            let count = ring.newest().map_or(0, |newest| newest - first + 1);
            out.push(Kind::ALL.iter().position(|k| *k == ring.kind()).unwrap_or(0) as u8);
            for number in [ring.length(), ring.keep(), first, count] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            ring.write(&mut out);
        }
    }
    let sum = Sha256::digest(&out);
    out.extend_from_slice(&sum);
    out
}

fn put(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

/// Bytes that are taken from the front.
struct Bytes<'b>(&'b [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn count(&mut self, most: u64) -> Option<u64> {
        self.take().map(u64::from_le_bytes).filter(|n| *n <= most)
    }

    fn signed(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    fn many(&mut self, count: usize) -> Option<&[u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }
}

fn decode(bytes: &[u8]) -> Option<Shelf> {
    let (body, sum) = bytes.split_last_chunk::<32>()?;
    if *sum != <[u8; 32]>::from(Sha256::digest(body)) {
        return None;
    }
    let mut bytes = Bytes(body);
    if bytes.take::<16>()? != *MAGIC {
        return None;
    }
    let mut shelf = Shelf::new();
    for _ in 0..bytes.count(LIMIT)? {
        let key: Key = bytes.take()?;
        let scrape = u32::try_from(bytes.count(86_400)?).ok().filter(|seconds| *seconds > 0);
        let mut rings = Vec::new();
        for _ in 0..bytes.count(RINGS)? {
            rings.push(ring(&mut bytes)?);
        }
        shelf.insert(key, Slot { scrape, rings });
    }
    Some(shelf)
}

fn ring(bytes: &mut Bytes<'_>) -> Option<Ring> {
    let [kind] = bytes.take()?;
    let kind = *Kind::ALL.get(usize::from(kind))?;
    let (length, keep, first) = (bytes.signed()?, bytes.signed()?, bytes.signed()?);
    let count = bytes.count(SLICES)?;
    let numbers = 1..=i64::try_from(SLICES).ok()?;
    if !numbers.contains(&length) || !numbers.contains(&keep) || !(0..=i64::MAX / 1_000_000).contains(&first) {
        return None;
    }
    let count = i64::try_from(count).ok()?;
    Ring::read((kind, length, keep), first, count, bytes.many(kind.bytes(count))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slo::reading::Counts;

    fn shelf() -> Shelf {
        let mut fine = Ring::new(Kind::Counted, 300, 72);
        fine.take(5_000_000, 5_000_010, |n| (n % 3 != 0).then_some(Counts { bad: 0.25, total: n as f64 }));
        fine.take(5_000_020, 5_000_021, |_| None);
        let mut verdicts = Ring::new(Kind::Verdicts, 300, 8_640);
        verdicts.take(5_000_000, 5_000_010, |n| (n % 3 != 0).then_some(Counts { bad: (n % 2) as f64, total: 1.0 }));
        let rings = vec![fine, Ring::new(Kind::Sums, 3_600, 720), verdicts];
        Shelf::from([([7; 16], Slot { scrape: Some(15), rings }), ([9; 16], Slot::default())])
    }

    #[test]
    fn slices_come_back_and_damage_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(&folder.path().join("new"), &"../../etc".into(), "http://h");
        assert_eq!(disk.read(), Shelf::new());
        disk.write(&shelf()).unwrap();
        assert_eq!(disk.read(), shelf());
        let bytes = std::fs::read(&disk.path).unwrap();
        for cut in [0, 1, 15, 16, 40, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&disk.path, &bytes[..cut]).unwrap();
            assert_eq!(disk.read(), Shelf::new(), "{cut}");
        }
        for at in [3, 20, 60, bytes.len() - 4] {
            let mut bad = bytes.clone();
            bad[at] ^= 0x10;
            std::fs::write(&disk.path, bad).unwrap();
            assert_eq!(disk.read(), Shelf::new(), "{at}");
        }
        assert_eq!(disk.path.parent(), Some(folder.path().join("new").as_path()));
        assert_ne!(Disk::new(folder.path(), &"a".into(), "x").path, Disk::new(folder.path(), &"a".into(), "y").path);
    }

    #[test]
    fn sums_that_are_right_over_nonsense_do_not_help_it() {
        let mut body = MAGIC.to_vec();
        put(&mut body, u64::MAX);
        body.extend_from_slice(&Sha256::digest(&body));
        assert_eq!(decode(&body), None);
        let mut body = MAGIC.to_vec();
        [1, 0, 0, 15, 1].into_iter().for_each(|n| put(&mut body, n));
        let whole = body.clone();
        for (kind, count) in [(0, 90_000), (0, 73), (0, 1), (7, 0)] {
            let mut body = whole.clone();
            body.push(kind);
            [300_u64, 72, 0, count].into_iter().for_each(|n| put(&mut body, n));
            body.extend_from_slice(&Sha256::digest(&body));
            assert_eq!(decode(&body), None, "{kind} {count}");
        }
    }

    #[test]
    fn slices_of_an_earlier_layout_are_read_anew() {
        for magic in [b"midwatch-slices1", b"midwatch-slices2"] {
            let mut body = encode(&shelf());
            body.truncate(body.len() - 32);
            body.splice(..16, magic.iter().copied());
            body.extend_from_slice(&Sha256::digest(&body));
            assert_eq!(decode(&body), None);
        }
    }
}
