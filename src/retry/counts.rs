//! The retries of a stream that are left.

use super::{Category, Plan};

/// The retries of one stream so far. Every stream starts with a fresh one.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// The retries after errors of each category, in the order of the enum.
    by_category: [u32; 5],
}

impl Counts {
    /// Returns the number of retries, whatever the errors were.
    pub(super) fn spent(&self) -> u32 {
        let retries = self.by_category.iter();
        retries.fold(0, |sum, &retries| sum.saturating_add(retries))
    }

    /// Returns the number of retries after errors of one category.
    pub(super) fn of(&self, category: Category) -> u32 {
        self.by_category[category as usize]
    }

    /// Returns the number of retries that there can be in all, those so far included, if all further errors are of this
    /// category.
    pub(super) fn limit(&self, plan: &Plan, category: Category) -> u32 {
        // The cap holds for all. Those of the model have a limit of their own below it.
        let cap = plan.max_retries;
        match category {
            Category::Fatal => self.spent(),
            Category::Network | Category::Transient => cap,
            Category::Model | Category::Content => {
                let of_model = self
                    .of(Category::Model)
                    .saturating_add(self.of(Category::Content));
                let left = plan.attempts.saturating_sub(of_model);
                cap.min(self.spent().saturating_add(left))
            }
        }
    }

    /// Returns whether another retry after an error of this category is allowed.
    pub(super) fn allows(&self, plan: &Plan, category: Category) -> bool {
        self.spent() < self.limit(plan, category)
    }

    /// Counts a retry after an error of this category.
    pub(super) fn spend(&mut self, category: Category) {
        let retries = &mut self.by_category[category as usize];
        *retries = retries.saturating_add(1);
    }
}
