//! The questions answered last.

use crate::cache::CacheKey;

/// How many are known. In the time between a caller's look into the cache and the engine's turn no more are
/// answered, or one is asked again that did not have to be.
const REMEMBERED: usize = 1024;

/// Which questions were answered a moment ago: for those it is worth looking into the cache again, which costs
/// more than all else that the engine does with a lookup.
#[derive(Debug)]
pub(super) struct Recent(Box<[Option<CacheKey>]>);

impl Default for Recent {
    fn default() -> Self {
        Self(std::iter::repeat_n(None, REMEMBERED).collect())
    }
}

impl Recent {
    pub(super) fn note(&mut self, key: CacheKey) {
        self.0[key.slot(REMEMBERED)] = Some(key);
    }

    pub(super) fn contains(&self, key: CacheKey) -> bool {
        self.0[key.slot(REMEMBERED)] == Some(key)
    }
}
