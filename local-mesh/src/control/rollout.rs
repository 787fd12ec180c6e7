//! Which pods of a Deployment to start and to stop.

/// What the decision looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct PodView<'a> {
    pub(super) name: &'a str,
    /// Hash of the template it was made from.
    pub(super) hash: &'a str,
    pub(super) ready: bool,
}

/// What to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// How many pods of the current template to start.
    pub(super) start: usize,
    /// Pods to stop.
    pub(super) stop: Vec<String>,
}

/// The next step towards `replicas` pods of the template `hash`; `pods` are those that are not being stopped, oldest
/// first. Pods of an older template stay until all new ones are ready: nobody is left without an answer by a change.
pub(super) fn next(replicas: usize, hash: &str, pods: &[PodView<'_>]) -> Step {
    let (mut current, old): (Vec<PodView<'_>>, Vec<PodView<'_>>) =
        pods.iter().partition(|pod| pod.hash == hash);
    // Those that stay come first: the ready ones, and of these the oldest.
    current.sort_by_key(|pod| !pod.ready);
    let settled = current.iter().filter(|pod| pod.ready).count() >= replicas;
    let surplus = current.iter().skip(replicas);
    let replaced = old.iter().filter(|_| settled);
    Step {
        start: replicas.saturating_sub(current.len()),
        stop: surplus.chain(replaced).map(|pod| pod.name.to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods<'a>(list: &[(&'a str, &'a str, bool)]) -> Vec<PodView<'a>> {
        list.iter()
            .map(|&(name, hash, ready)| PodView { name, hash, ready })
            .collect()
    }

    fn step(start: usize, stop: &[&str]) -> Step {
        Step {
            start,
            stop: stop.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn missing_replicas_are_started() {
        assert_eq!(next(2, "h", &pods(&[])), step(2, &[]));
        assert_eq!(next(3, "h", &pods(&[("a", "h", false)])), step(2, &[]));
    }

    #[test]
    fn surplus_replicas_are_stopped_the_useless_and_the_youngest_first() {
        let running = pods(&[("a", "h", false), ("b", "h", true), ("c", "h", true)]);
        assert_eq!(next(2, "h", &running), step(0, &["a"]));
        assert_eq!(next(1, "h", &running), step(0, &["c", "a"]));
        assert_eq!(next(0, "h", &running), step(0, &["b", "c", "a"]));
    }

    #[test]
    fn old_pods_stay_until_the_new_ones_are_ready() {
        let old = [("a", "old", true), ("b", "old", true)];
        assert_eq!(next(2, "new", &pods(&old)), step(2, &[]));
        let half = [old[0], old[1], ("c", "new", true), ("d", "new", false)];
        assert_eq!(next(2, "new", &pods(&half)), step(0, &[]));
        let done = [old[0], old[1], ("c", "new", true), ("d", "new", true)];
        assert_eq!(next(2, "new", &pods(&done)), step(0, &["a", "b"]));
    }

    #[test]
    fn nothing_is_done_when_all_is_well() {
        assert_eq!(next(1, "h", &pods(&[("a", "h", true)])), step(0, &[]));
    }
}
