//! Inline SVG: marks and axes whose colors come from the page, so that light, dark and print need no
//! second drawing.

use std::fmt::Write as _;

use leadscore_core::printable;

/// Room for a chart's axis labels.
pub(crate) const LEFT: f64 = 52.0;
pub(crate) const RIGHT: f64 = 26.0;
pub(crate) const TOP: f64 = 28.0;
pub(crate) const BOTTOM: f64 = 46.0;

/// A drawing under construction.
pub(crate) struct Drawing {
    body: String,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Drawing {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self {
            body: String::new(),
            width,
            height,
        }
    }

    pub(crate) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let _ = write!(
            self.body,
            r#"<line class="{class}" x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}"/>"#,
            from.0, from.1, to.0, to.1
        );
    }

    pub(crate) fn rect(&mut self, class: &str, corner: (f64, f64), size: (f64, f64)) {
        let _ = write!(
            self.body,
            r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" rx="2"/>"#,
            corner.0,
            corner.1,
            size.0.max(0.0),
            size.1.max(0.0)
        );
    }

    pub(crate) fn text(&mut self, class: &str, anchor: &str, at: (f64, f64), text: &str) {
        let _ = write!(
            self.body,
            r#"<text class="{class}" text-anchor="{anchor}" x="{:.1}" y="{:.1}">{}</text>"#,
            at.0,
            at.1,
            escape(text)
        );
    }

    pub(crate) fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let joined: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = write!(
            self.body,
            r#"<polyline class="{class}" points="{}"/>"#,
            joined.join(" ")
        );
    }

    /// A rectangle of this opacity that says its numbers.
    pub(crate) fn shade(
        &mut self,
        class: &str,
        corner: (f64, f64),
        size: (f64, f64),
        opacity: f64,
        title: &str,
    ) {
        let _ = write!(
            self.body,
            r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" rx="2" fill-opacity="{opacity:.2}"><title>{}</title></rect>"#,
            corner.0,
            corner.1,
            size.0.max(0.0),
            size.1.max(0.0),
            escape(title)
        );
    }

    /// A mark that the Tab key reaches and that says its numbers.
    pub(crate) fn mark(&mut self, class: &str, at: (f64, f64), radius: f64, title: &str) {
        let _ = write!(
            self.body,
            r#"<circle class="{class}" cx="{:.1}" cy="{:.1}" r="{radius:.1}" tabindex="0" role="img" aria-label="{title}"><title>{title}</title></circle>"#,
            at.0,
            at.1,
            title = escape(title)
        );
    }

    pub(crate) fn finish(self, description: &str) -> String {
        format!(
            r#"<svg viewBox="0 0 {:.0} {:.0}" role="group" aria-label="{description}">{}</svg>"#,
            self.width,
            self.height,
            self.body,
            description = escape(description)
        )
    }
}

fn escape(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A round number at or above `value`, and the step between its ticks.
pub(crate) fn round_up(value: f64) -> (f64, f64) {
    if value <= 0.0 {
        return (1.0, 0.25);
    }
    let magnitude = 10_f64.powf(value.log10().floor());
    let step = [0.2, 0.5, 1.0, 2.0]
        .into_iter()
        .map(|factor| factor * magnitude)
        .find(|step| value / step <= 5.0)
        .unwrap_or(2.0 * magnitude);
    ((value / step).ceil() * step, step)
}

/// Axes from 0 to `limits` with titles; `across` writes the numbers below where they differ from
/// those at the side.
pub(crate) fn axes(
    drawing: &mut Drawing,
    limits: ((f64, f64), (f64, f64)),
    titles: (&str, &str),
    format: fn(f64) -> String,
    across: Option<fn(f64) -> String>,
) -> impl Fn(f64, f64) -> (f64, f64) + use<> {
    let ((x_limit, x_step), (y_limit, y_step)) = limits;
    let (width, height) = (drawing.width, drawing.height);
    let place = move |x: f64, y: f64| {
        (
            LEFT + (width - LEFT - RIGHT) * x / x_limit,
            height - BOTTOM - (height - TOP - BOTTOM) * y / y_limit,
        )
    };
    let mut tick = 0.0;
    while tick <= y_limit + y_step / 2.0 {
        drawing.line("grid", place(0.0, tick), place(x_limit, tick));
        let (x, y) = place(0.0, tick);
        drawing.text("tick", "end", (x - 6.0, y + 4.0), &format(tick));
        tick += y_step;
    }
    tick = 0.0;
    while x_step > 0.0 && tick <= x_limit + x_step / 2.0 {
        let (x, y) = place(tick, 0.0);
        drawing.text(
            "tick",
            "middle",
            (x, y + 16.0),
            &across.unwrap_or(format)(tick),
        );
        tick += x_step;
    }
    drawing.text(
        "axis",
        "middle",
        (place(x_limit / 2.0, 0.0).0, drawing.height - 8.0),
        titles.0,
    );
    drawing.text("axis", "start", (4.0, 11.0), titles.1);
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_round_up(value: f64, limit: f64, step: f64) {
        let (found_limit, found_step) = round_up(value);
        assert!(
            (found_limit - limit).abs() < 1e-9 * limit && (found_step - step).abs() < 1e-9 * step,
            "{value}: {found_limit}, {found_step}"
        );
    }

    #[test]
    fn axes_end_at_a_round_number() {
        check_round_up(0.0, 1.0, 0.25);
        check_round_up(-3.0, 1.0, 0.25);
        check_round_up(1.0, 1.0, 0.2);
        check_round_up(0.3, 0.3, 0.1);
        check_round_up(0.07, 0.08, 0.02);
        check_round_up(1.1, 1.5, 0.5);
        check_round_up(2.6, 3.0, 1.0);
        check_round_up(7.0, 8.0, 2.0);
        check_round_up(99.0, 100.0, 20.0);
        check_round_up(1_000.0, 1_000.0, 200.0);
    }

    proptest::proptest! {
        #[test]
        fn every_value_is_within_its_axis_of_few_ticks(exponent in -12_i32..12, digits in 1.0..10.0_f64) {
            let value = digits * 10_f64.powi(exponent);
            let (limit, step) = round_up(value);
            proptest::prop_assert!(limit >= value * (1.0 - 1e-12), "{limit} < {value}");
            proptest::prop_assert!(limit < value + step * (1.0 + 1e-9), "a tick too many: {limit}");
            let ticks = limit / step;
            proptest::prop_assert!((ticks - ticks.round()).abs() < 1e-6);
            proptest::prop_assert!((2.0..=5.5).contains(&ticks), "{ticks} ticks");
        }
    }

    #[test]
    fn markup_in_names_is_text() {
        assert_eq!(
            escape("<b title=\"x\">R&D</b>\u{202e}"),
            "&lt;b title=&quot;x&quot;&gt;R&amp;D&lt;/b&gt;\\u{202e}"
        );
    }

    #[test]
    fn axes_begin_at_the_lower_left() {
        let mut drawing = Drawing::new(LEFT + RIGHT + 100.0, TOP + BOTTOM + 50.0);
        let place = axes(
            &mut drawing,
            ((2.0, 1.0), (10.0, 5.0)),
            ("x", "y"),
            |value| format!("{value:.0}"),
            None,
        );
        assert_eq!(place(0.0, 0.0), (LEFT, TOP + 50.0));
        assert_eq!(place(2.0, 10.0), (LEFT + 100.0, TOP));
        assert_eq!(place(1.0, 5.0), (LEFT + 50.0, TOP + 25.0));
        let page = drawing.finish("a chart");
        // Three ticks on each side, and a line for each at the left.
        assert_eq!(page.matches("class=\"tick\"").count(), 6);
        assert_eq!(page.matches("class=\"grid\"").count(), 3);
        assert!(page.contains(">10</text>"));
    }
}
