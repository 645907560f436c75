//! A bounded number of places, of which one caller cannot take all.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// So many at once; whoever is known by a name gets at most half of them.
#[derive(Debug, Clone)]
pub struct Places {
    most: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by: HashMap<String, usize>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct Place {
    who: Option<String>,
    taken: Arc<Mutex<Taken>>,
}

impl Places {
    pub fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    pub fn most(&self) -> usize {
        self.most
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).all
    }

    /// A place for `who`, if there is one.
    pub fn take(&self, who: Option<&str>) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = who.map_or(0, |it| taken.by.get(it).copied().unwrap_or(0));
        if taken.all >= self.most || own >= self.most.div_ceil(2) {
            return None;
        }
        taken.all = taken.all.saturating_add(1);
        if let Some(who) = who {
            taken.by.insert(who.to_owned(), own.saturating_add(1));
        }
        Some(Place { who: who.map(str::to_owned), taken: self.taken.clone() })
    }
}

impl Place {
    /// One that takes none, for what needs none.
    pub fn none() -> Self {
        Self { who: None, taken: Arc::default() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        let Some(who) = &self.who else { return };
        let left = taken.by.get(who).map_or(0, |it| it.saturating_sub(1));
        if left == 0 {
            taken.by.remove(who);
        } else {
            taken.by.insert(who.clone(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_more_than_half_and_all_together_no_more_than_there_are() {
        let places = Places::new(4);
        let a: Vec<Place> = (0..2).filter_map(|_| places.take(Some("a"))).collect();
        assert!(a.len() == 2 && places.take(Some("a")).is_none());
        let b = places.take(Some("b"));
        let nobody = places.take(None);
        assert!(b.is_some() && nobody.is_some() && places.take(Some("b")).is_none());
        assert_eq!(places.taken(), 4);
        drop(a);
        drop(nobody);
        assert_eq!(places.taken(), 1);
        assert!(places.take(Some("a")).is_some());
        drop(b);
        assert!(places.taken.lock().unwrap().by.is_empty());
    }
}
