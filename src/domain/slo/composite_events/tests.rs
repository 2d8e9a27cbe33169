//! A composite of one is that one; one of several is the sum of what they spent.

use super::*;
use crate::domain::slo::objective::Composite;
use crate::domain::slo::seed;
use crate::domain::time::{mins, secs};
use proptest::prelude::*;

const MONTH: Span = Span::days(30);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_777_593_600 + seconds, 0).unwrap()
}

fn plain(id: &str, target: f64) -> Objective {
    let text = include_str!("../../../../tests/fixtures/seeds/slo.yaml");
    Objective { id: id.into(), target, ..seed::read("slo.yaml", text).0.remove(0) }
}

fn made_of(target: f64, combine: Combine, parts: &[(&str, f64)]) -> Objective {
    let parts = parts.iter().map(|(p, w)| (SloId::from(*p), *w)).collect();
    Objective { sli: Sli::Composite(Composite { combine, parts }), ..plain("whole", target) }
}

/// Hours up to six hours before `at(0)`, then slices of five minutes.
fn net(hours: &[Option<(f64, f64)>], fine: &[Option<(f64, f64)>]) -> NetEvents {
    let counts = |c: &Option<(f64, f64)>| c.map(|(share, total)| Counts { bad: share * total, total });
    let slice = |n: usize, all: usize, length: Span, end: i64, c: &Option<(f64, f64)>| Slice {
        end: at(end) - length * i32::try_from(all - 1 - n).unwrap(),
        length,
        counts: counts(c),
    };
    let coarse = hours.iter().enumerate().map(|(n, c)| slice(n, hours.len(), mins(60), -21_600, c));
    let fine = fine.iter().enumerate().map(|(n, c)| slice(n, fine.len(), mins(5), 0, c));
    NetEvents::over(coarse.chain(fine).collect(), &[])
}

fn part(id: &str, factor: f64, target: f64, net: NetEvents) -> PartEvents {
    PartEvents { id: id.into(), factor, target, net, newest: Some((at(130), Counts { bad: 3.0, total: 40.0 })) }
}

fn near(got: Option<f64>, want: Option<f64>) -> Result<(), TestCaseError> {
    let same = match (got, want) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-9 * b.abs().max(1.0),
        (a, b) => a == b,
    };
    prop_assert!(same, "{got:?} is not {want:?}");
    Ok(())
}

fn line(got: &[Option<f64>], want: &[Option<f64>]) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.len(), want.len());
    got.iter().zip(want).try_for_each(|(a, b)| near(*a, *b))
}

/// A month and three days of hours, seven in a thousand of which nothing is known.
fn hours() -> impl Strategy<Value = Vec<Option<(f64, f64)>>> {
    let hour = (0..1_000_u32, 0.0..0.02_f64, 0.0..5_000.0_f64);
    prop::collection::vec(hour.prop_map(|(known, share, total)| (known > 6).then_some((share * share, total))), 786)
}

fn fine() -> impl Strategy<Value = Vec<Option<(f64, f64)>>> {
    let slice = (0..100_u32, 0.0..0.3_f64, 0.0..400.0_f64);
    prop::collection::vec(slice.prop_map(|(known, share, total)| (known > 2).then_some((share * share, total))), 72)
}

fn calendars(got: Option<Calendar>, want: Option<Calendar>) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.is_some(), want.is_some());
    let (Some(got), Some(want)) = (got, want) else { return Ok(()) };
    prop_assert_eq!((&got.period, got.from, got.to), (&want.period, want.from, want.to));
    let numbers = |c: &Calendar| {
        [Some(c.elapsed), Some(c.events.bad), Some(c.events.total), Some(c.expected), Some(c.coverage)]
            .into_iter()
            .chain([c.consumed, c.remaining, c.projected])
            .collect::<Vec<_>>()
    };
    line(&numbers(&got), &numbers(&want))
}

fn costs(got: Option<IncidentCost>, want: Option<IncidentCost>) -> Result<(), TestCaseError> {
    let numbers = |c: Option<IncidentCost>| {
        let c = c?;
        Some(vec![
            Some(c.gross),
            c.net,
            Some(c.during.bad),
            Some(c.during.total),
            c.before,
            Some(c.of),
            Some(c.coverage),
        ])
    };
    line(&numbers(got).unwrap_or_default(), &numbers(want).unwrap_or_default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_composite_of_one_part_of_weight_one_is_that_part(
        hours in hours(),
        fine in fine(),
        target in 0.9..0.9999_f64,
        any_bad in any::<bool>(),
        began in 60..20_000_i64,
        length in 60..9_000_i64,
        burn in 0.1..20.0_f64,
    ) {
        let target = (target * 1e6).round() / 1e6;
        let one = net(&hours, &fine);
        let combine = if any_bad { Combine::AnyBad } else { Combine::Weighted };
        let whole = made_of(target, combine, &[("a", 1.0)]);
        let found = leaves(&whole, &|id| Some(Arc::new(plain(id.as_str(), target)))).unwrap();
        prop_assert_eq!((found.len(), found[0].1), (1, 1.0));
        let made = CompositeEvents::of(&whole, vec![part("a", found[0].1, target, one.clone())]).unwrap();
        prop_assert_eq!(made.end(), one.end());

        for days in [2, 12, 29] {
            let bounds = (at(-days * 86_400 + 1_000), at((30 - days) * 86_400));
            calendars(made.calendar("month".into(), bounds), calendar::budget(&one, "month".into(), bounds, target))?;
            let (counts, _) = one.between(bounds.0, at(0));
            near(made.spent((bounds.0, at(0))), calendar::consumed(counts.bad, counts.total, target))?;
        }
        let (all, _) = one.between(at(0) - MONTH, at(0));
        let left = 1.0 - all.error_ratio().unwrap() / allowance(target).unwrap();
        prop_assert_eq!(made.rolling(left, burn), outlook::rolling(&one, target, MONTH, left, burn));
        for (back, step) in [(Span::hours(6), mins(15)), (Span::hours(72), mins(60))] {
            let (got, want) = (made.trend(back, step), outlook::trend(&one, target, MONTH, back, step));
            prop_assert_eq!(got.map(|t| t.points), want.map(|t| t.points));
            near(got.map(|t| t.trend.per_hour), want.map(|t| t.trend.per_hour))?;
            near(got.map(|t| t.trend.fit), want.map(|t| t.trend.fit))?;
        }
        let q = Question { from: at(-began), to: at(130.min(length - began)), margin: secs(15), target, of: all.total };
        let newest = Some((at(130), Counts { bad: 3.0, total: 40.0 }));
        costs(made.cost(&q, Base::Window(MONTH), true), cost(&one, newest, &q))?;
        costs(made.cost(&q, Base::Window(MONTH), false), cost(&one, None, &q))?;
        let budget = lines::allowed(target, all.total).unwrap();
        let down = lines::burn_down(one.slices(), budget, at(0) - MONTH, at(0), 240).unwrap();
        line(&made.burn_down(240).unwrap().points, &down.points)?;
        for (range, step) in [(MONTH, mins(360)), (mins(300), mins(5))] {
            let (got, want) = (made.burn_line(range, step).unwrap(), lines::burn_line(one.slices(), target, range, step, at(0)));
            prop_assert_eq!((got.mean.start, got.mean.step), (want.mean.start, want.mean.step));
            line(&got.mean.points, &want.mean.points)?;
            line(&got.worst, &want.worst)?;
        }
    }

    #[test]
    fn what_is_spent_is_the_weighted_sum_of_what_the_parts_spent(
        a in hours(),
        b in hours(),
        fine in fine(),
        weights in (0.1..2.0_f64, 0.1..2.0_f64),
        target in 0.95..0.9995_f64,
    ) {
        let whole = made_of(target, Combine::Weighted, &[("a", weights.0), ("b", weights.1)]);
        let nets = [(net(&a, &fine), weights.0, 0.999), (net(&b, &fine), weights.1, 0.95)];
        let parts = nets.iter().zip(["a", "b"]).map(|((n, w, t), id)| part(id, *w, *t, n.clone())).collect();
        let made = CompositeEvents::of(&whole, parts).unwrap();
        let bounds = (at(-9 * 86_400), at(21 * 86_400));
        let of = |n: &NetEvents, t: f64| calendar::budget(n, "month".into(), bounds, t).unwrap();
        let got = made.calendar("month".into(), bounds).unwrap();
        near(got.consumed, nets.iter().map(|(n, w, t)| Some(w * of(n, *t).consumed?)).sum())?;
        near(got.projected, nets.iter().map(|(n, w, t)| Some(w * of(n, *t).projected?)).sum())?;
        let q = |t: f64, of: f64| Question { from: at(-4_000), to: at(-1_000), margin: secs(30), target: t, of };
        let total = |n: &NetEvents| n.between(at(0) - MONTH, at(0)).0.total;
        let gross: Option<f64> = nets.iter().map(|(n, w, t)| Some(w * cost(n, None, &q(*t, total(n)))?.gross)).sum();
        near(made.cost(&q(0.5, 1.0), Base::Window(MONTH), false).map(|c| c.gross), gross)?;
        // How it went down ends where the budget of the window does, as far as all is known of both.
        let known = |s: &Slice| s.counts.is_some();
        if nets.iter().all(|(n, ..)| n.slices().iter().all(known)) {
            let spent = nets.iter().map(|(n, w, t)| {
                w * n.between(at(0) - MONTH, at(0)).0.error_ratio().unwrap() / allowance(*t).unwrap()
            });
            near(made.burn_down(240).unwrap().points.last().copied().flatten(), Some(1.0 - spent.sum::<f64>()))?;
        }
    }
}

#[test]
fn a_gap_of_one_part_is_one_of_the_whole_and_an_idle_part_burns_nothing() {
    let quiet = vec![Some((0.0, 0.0)); 786];
    let busy = vec![Some((0.001, 1_000.0)); 786];
    let mut holes = busy.clone();
    holes.iter_mut().skip(700).take(50).for_each(|c| *c = None);
    let fine = vec![Some((0.001, 80.0)); 72];
    let whole = made_of(0.99, Combine::Weighted, &[("a", 0.5), ("b", 0.5)]);
    let of = |b: &[Option<(f64, f64)>], fine_b: &[Option<(f64, f64)>]| {
        let parts = vec![part("a", 0.5, 0.99, net(&busy, &fine)), part("b", 0.5, 0.99, net(b, fine_b))];
        CompositeEvents::of(&whole, parts).unwrap()
    };
    let bounds = (at(-9 * 86_400), at(21 * 86_400));
    let idle = of(&quiet, &vec![Some((0.0, 0.0)); 72]);
    let month = idle.calendar("month".into(), bounds).unwrap();
    assert!((month.projected.unwrap() - 0.05).abs() < 1e-9, "{month:?}");
    assert!((idle.burn_down(100).unwrap().points[99].unwrap() - 0.95).abs() < 1e-9);
    let known = |made: &CompositeEvents| made.burn_down(720).unwrap().points.iter().flatten().count();
    assert_eq!((known(&idle), known(&of(&holes, &fine))), (720, 670));
    let month = of(&holes, &fine).calendar("month".into(), bounds).unwrap();
    assert!((month.coverage - (1.0 - 50.0 / 216.0)).abs() < 1e-9, "{month:?}");
    let silent = vec![None; 786];
    assert_eq!(of(&silent, &vec![None; 72]).calendar("month".into(), bounds), None);
}

#[test]
fn an_outage_of_a_strict_part_is_not_cut_off() {
    // The whole's target is looser than the part's: its budget is gone faster than if all of its own events were bad.
    let mut fine = vec![Some((0.0, 100.0)); 72];
    fine.iter_mut().skip(48).for_each(|c| *c = Some((1.0, 100.0)));
    let whole = made_of(0.9, Combine::Weighted, &[("a", 1.0)]);
    let parts = vec![part("a", 1.0, 0.999, net(&vec![Some((0.0, 1_200.0)); 786], &fine))];
    let made = CompositeEvents::of(&whole, parts).unwrap();
    let spent = 2_400.0 / (0.001 * 864_000.0);
    assert!((made.burn_down(720).unwrap().points[719].unwrap() - (1.0 - spent)).abs() < 1e-9);
    let line = made.burn_line(mins(300), mins(5)).unwrap();
    assert!((line.mean.points.last().unwrap().unwrap() - 1_000.0).abs() < 1e-6);
}

#[test]
fn parts_are_found_through_composites_and_what_does_not_fit_is_said() {
    let find = |id: &SloId| {
        let o = match id.as_str() {
            "inner" => Objective { id: id.clone(), ..made_of(0.99, Combine::AnyBad, &[("a", 9.0), ("b", 1.0)]) },
            "week" => Objective { window: Span::days(7), ..plain("week", 0.99) },
            "loop" => Objective { id: id.clone(), ..made_of(0.99, Combine::Weighted, &[("loop", 1.0)]) },
            "a" => plain("a", 0.98),
            "b" => plain("b", 0.995),
            _ => return None,
        };
        Some(Arc::new(o))
    };
    let of = |parts: &[(&str, f64)]| leaves(&made_of(0.99, Combine::Weighted, parts), &find);
    let found = of(&[("a", 0.5), ("inner", 0.25)]).unwrap();
    let factors: Vec<(&str, f64)> = found.iter().map(|(o, f)| (o.id.as_str(), (f * 1e9).round() / 1e9)).collect();
    assert_eq!(factors, [("a", 1.0), ("b", 0.125)]);
    for (parts, why) in [
        (&[("a", 1.0), ("week", 1.0)][..], "the window of `week` is 7d, not 30d"),
        (&[("gone", 1.0)], "there is no objective `gone`"),
        (&[("a", 0.0)], "the weight of `a` is none"),
        (&[("loop", 1.0)], "`loop` is a part of itself"),
        (&[], "it has no parts"),
    ] {
        assert_eq!(of(parts), Err(why.to_owned()));
    }
    let blind = part("a", 1.0, 0.99, NetEvents::over(Vec::new(), &[]));
    let whole = made_of(0.99, Combine::Weighted, &[("a", 1.0)]);
    assert_eq!(CompositeEvents::of(&whole, vec![blind]), Err("the events behind `a` are not known".into()));
}
