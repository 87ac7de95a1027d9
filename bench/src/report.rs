//! The table: what was measured, beside its goal and the reference of the same run.

use std::fmt;
use std::time::Duration;

/// One measured figure; less is better.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    what: String,
    unit: &'static str,
    measured: f64,
    /// The reference writer at the same task, in the same run.
    reference: Option<f64>,
    bounds: Option<Bounds>,
}

/// What is aimed at and what is refused, as found on one machine.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    goal: f64,
    reject: f64,
    /// The reference writer on that machine: with it, the bounds hold as ratios on any.
    reference: Option<f64>,
}

impl Figure {
    pub(crate) fn new(what: impl Into<String>, unit: &'static str, measured: f64) -> Self {
        Self {
            what: what.into(),
            unit,
            measured,
            reference: None,
            bounds: None,
        }
    }

    /// What the reference writer took.
    pub(crate) fn reference(mut self, reference: f64) -> Self {
        self.reference = Some(reference);
        self
    }

    /// The goal, and above what it is refused; infinite where nothing is.
    pub(crate) fn goal(mut self, goal: f64, reject: f64) -> Self {
        self.bounds = Some(Bounds {
            goal,
            reject,
            reference: None,
        });
        self
    }

    /// What the reference writer took where the goal was set.
    pub(crate) fn goal_reference(mut self, reference: f64) -> Self {
        if let Some(bounds) = &mut self.bounds {
            bounds.reference = Some(reference);
        }
        self
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.measured / self.reference.filter(|reference| *reference > 0.0)?)
    }

    fn verdict(&self) -> &'static str {
        let Some(bounds) = self.bounds else {
            return "";
        };
        let (measured, scale) = match (self.ratio(), bounds.reference) {
            (Some(ratio), Some(reference)) => (ratio, reference),
            _ => (self.measured, 1.0),
        };
        if measured <= bounds.goal / scale {
            "goal"
        } else if measured <= bounds.reject / scale {
            "within"
        } else {
            "REJECT"
        }
    }

    fn cells(&self, full_size: bool) -> [String; 7] {
        let bound = |pick: fn(Bounds) -> f64| {
            let Some(bounds) = self.bounds.filter(|_| full_size) else {
                return String::new();
            };
            let value = Number(pick(bounds));
            if value.0.is_infinite() {
                return String::new();
            }
            match bounds.reference.filter(|_| self.reference.is_some()) {
                Some(reference) => format!("{value} ({:.2})", value.0 / reference),
                None => value.to_string(),
            }
        };
        let optional =
            |number: Option<f64>| number.map_or_else(String::new, |n| Number(n).to_string());
        let verdict = if full_size { self.verdict() } else { "" };
        [
            match self.unit {
                "" => self.what.clone(),
                unit => format!("{}, {unit}", self.what),
            },
            Number(self.measured).to_string(),
            bound(|bounds| bounds.goal),
            bound(|bounds| bounds.reject),
            optional(self.reference),
            self.ratio()
                .map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            verdict.to_owned(),
        ]
    }
}

/// The figure alone, as it is shown while others are still being measured.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.what, Number(self.measured), self.unit)?;
        match self.reference {
            Some(reference) => write!(f, ", reference {}", Number(reference)),
            None => Ok(()),
        }
    }
}

/// Three digits that count.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.0.abs() {
            100.0.. => 0,
            10.0.. => 1,
            _ => 2,
        };
        let text = format!("{:.digits$}", self.0);
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        f.pad(text)
    }
}

/// The median of each figure over several runs of one scenario.
pub(crate) fn medians(runs: &[Vec<Figure>]) -> Vec<Figure> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    let of = |index: usize, pick: fn(&Figure) -> Option<f64>| {
        let values = runs.iter().filter_map(|run| pick(run.get(index)?));
        let mut values: Vec<_> = values.collect();
        (!values.is_empty()).then(|| quantile(&mut values, 0.5))
    };
    let figures = first.iter().enumerate();
    figures
        .map(|(index, figure)| Figure {
            measured: of(index, |figure| Some(figure.measured)).unwrap_or(figure.measured),
            reference: of(index, |figure| figure.reference),
            ..figure.clone()
        })
        .collect()
}

/// The table of all scenarios, in Markdown.
pub(crate) fn table(scenarios: &[(&str, Vec<Figure>)], full_size: bool) -> String {
    const HEAD: [&str; 7] = [
        "figure",
        "measured",
        "goal",
        "reject above",
        "reference",
        "ratio",
        "verdict",
    ];
    let mut rows = vec![HEAD.map(str::to_owned)];
    for (scenario, figures) in scenarios {
        for figure in figures {
            let mut cells = figure.cells(full_size);
            cells[0] = format!("{scenario}: {}", cells[0]);
            rows.push(cells);
        }
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..HEAD.len())
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut lines: Vec<_> = rows
        .iter()
        .map(|row| {
            let cells = row.iter().zip(&widths);
            let cells: Vec<_> = cells
                .map(|(cell, &width)| format!("{cell:width$}"))
                .collect();
            format!("| {} |", cells.join(" | "))
        })
        .collect();
    let rule: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(1, format!("| {} |", rule.join(" | ")));
    lines.join("\n")
}

/// The value that this share of the others does not exceed (nearest rank).
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let rank = (share * values.len() as f64).ceil() as usize;
    values
        .get(rank.clamp(1, values.len().max(1)) - 1)
        .copied()
        .unwrap_or(f64::NAN)
}

/// A duration in milliseconds.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_a_reference_it_is_the_ratio_that_is_judged() {
        let figure = Figure::new("last client", "ms", 30.0)
            .goal(13.0, 17.0)
            .goal_reference(16.9);
        assert_eq!(figure.verdict(), "REJECT");
        // A machine of half the speed: the same ratio as 15 ms there.
        assert_eq!(figure.clone().reference(33.8).verdict(), "within");
        assert_eq!(figure.reference(60.0).verdict(), "goal");
    }

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let mut values: Vec<_> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&mut values, 0.5).to_string(), "50");
        assert_eq!(quantile(&mut values, 0.99).to_string(), "99");
        assert_eq!(quantile(&mut [7.0], 0.5).to_string(), "7");
    }

    #[test]
    fn the_median_is_taken_of_each_figure_and_of_its_reference() {
        let run = |measured, reference| vec![Figure::new("x", "ms", measured).reference(reference)];
        let medians = medians(&[run(3.0, 1.0), run(1.0, 3.0), run(2.0, 2.0)]);
        assert_eq!(
            table(&[("s", medians)], true).lines().nth(2),
            Some("| s: x, ms | 2        |      |              | 2         | 1.00  |         |")
        );
    }
}
