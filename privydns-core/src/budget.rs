//! A budget of bytes for a list that a server fills.

/// The bytes that a list may still use.
///
/// Every item counts with its overhead, so that a list of many small items is as limited as a list of few large ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteBudget(usize);

impl ByteBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Subtracts the bytes of an item; returns `false`, and leaves the budget unchanged, if the item does not fit.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_does_not_fit_takes_nothing() {
        let mut budget = ByteBudget::new(10);
        assert_eq!([4, 7, 6, 1].map(|bytes| budget.take(bytes)), [true, false, true, false]);
        assert!(budget.take(0));
    }
}
