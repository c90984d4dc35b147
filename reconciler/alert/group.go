package alert

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
)

// maxGroups is how many groups a status has.
const maxGroups = 64

// Plan puts on record what is to be told now, of each group for which it is time, and to whom. Nothing of that changes any more
// until Sent. A group whose last notice was not sent yet waits.
//
// receivers are names; the empty one is the mail that each tenant has. When there are none, nobody is told, and what happened
// counts as told.
func Plan(spec *monitoringv1.AlertSpec, st *monitoringv1.AlertStatus, mutes Mutes, receivers []string, now time.Time) {
	now = now.Truncate(time.Second)

	// What began and ended while nobody was to be told is nobody's concern afterwards.
	settle(st, slices.DeleteFunc(slices.Clone(st.Series), func(s monitoringv1.AlertSeries) bool {
		return over(&s) && s.Told == "" && mutes.Muted(labelsOf(spec, &s), now)
	}))

	members := membersOf(spec, st)

	groups := map[string]monitoringv1.AlertGroup{}
	for _, g := range st.Groups {
		groups[g.Key] = g
	}

	for _, key := range slices.Sorted(maps.Keys(members)) {
		g := groups[key]
		g.Key = key

		if due := dueAt(spec, &g, members[key], mutes, now); g.Notice == nil && !due.IsZero() && !now.Before(due) {
			st.Notices++
			g.Notice = compose(spec, members[key], mutes, now)
			g.Notice.Number, g.Notice.Receivers = st.Notices, receivers
		}

		if g.Notice != nil || g.ToldAt != nil {
			groups[key] = g
		}
	}

	st.Groups = kept(spec, groups, members, now)
}

// kept are the groups that something is left to be known of: the last time that one was told counts for as long as it keeps
// the next notice waiting, or has a series.
func kept(
	spec *monitoringv1.AlertSpec, groups map[string]monitoringv1.AlertGroup, members map[string][]*monitoringv1.AlertSeries, now time.Time,
) []monitoringv1.AlertGroup {
	var out []monitoringv1.AlertGroup

	for key, g := range groups {
		if g.Notice != nil || len(members[key]) > 0 || now.Before(toldAt(&g).Add(spec.GroupInterval.Duration)) {
			out = append(out, g)
		}
	}

	// Those without a series go first when there are too many, the oldest of them before the others.
	slices.SortFunc(out, func(a, b monitoringv1.AlertGroup) int {
		return cmp.Or(cmp.Compare(min(len(members[b.Key]), 1), min(len(members[a.Key]), 1)), toldAt(&b).Compare(toldAt(&a)), strings.Compare(a.Key, b.Key))
	})
	out = out[:min(len(out), maxGroups)]
	slices.SortFunc(out, func(a, b monitoringv1.AlertGroup) int { return strings.Compare(a.Key, b.Key) })

	return out
}

// membersOf are the series of each group, by its key.
func membersOf(spec *monitoringv1.AlertSpec, st *monitoringv1.AlertStatus) map[string][]*monitoringv1.AlertSeries {
	out := map[string][]*monitoringv1.AlertSeries{}

	for i := range st.Series {
		s := &st.Series[i]
		key := Fingerprint(groupLabels(spec, s))
		out[key] = append(out[key], s)
	}

	return out
}

// groupLabels are what a series has in common with others of its group.
func groupLabels(spec *monitoringv1.AlertSpec, s *monitoringv1.AlertSeries) map[string]string {
	if len(spec.GroupBy) == 0 {
		return nil
	}

	all, out := labelsOf(spec, s), map[string]string{}
	for _, name := range spec.GroupBy {
		out[name] = all[name]
	}

	return out
}

func toldAt(g *monitoringv1.AlertGroup) time.Time {
	if g.ToldAt == nil {
		return time.Time{}
	}

	return g.ToldAt.Time
}

// newsAt is from when on something is to be told of a series that was not told; the zero time when there is nothing.
//
// What has got better by itself before anything was told, and did not come back, is told once, when it is over.
func newsAt(spec *monitoringv1.AlertSpec, s *monitoringv1.AlertSeries) time.Time {
	switch {
	case over(s):
		return s.Since.Time
	case s.State != monitoringv1.StateFiring, s.Told == monitoringv1.StateFiring:
		return time.Time{}
	case s.EndsAt != nil && s.Occurrences < 2:
		return time.Time{}
	default:
		return s.Since.Add(spec.GroupWait.Duration)
	}
}

// dueAt is when a group is told of next; the zero time when there is nothing to tell. What is muted now has no say in it.
func dueAt(
	spec *monitoringv1.AlertSpec, g *monitoringv1.AlertGroup, members []*monitoringv1.AlertSeries, mutes Mutes, now time.Time,
) time.Time {
	var news, repeat time.Time

	for _, s := range members {
		if mutes.Muted(labelsOf(spec, s), now) {
			continue
		}

		if at := newsAt(spec, s); !at.IsZero() {
			news = earlier(news, at)
		}

		if s.State == monitoringv1.StateFiring && s.EndsAt == nil && s.Told == monitoringv1.StateFiring && every(spec) > 0 {
			repeat = toldAt(g).Add(every(spec))
		}
	}

	if !news.IsZero() && g.ToldAt != nil {
		if next := g.ToldAt.Add(spec.GroupInterval.Duration); next.After(news) {
			news = next
		}
	}

	return earlier(news, repeat)
}

// defaultRepeat is how often what still fires is told again, unless the spec says otherwise.
const defaultRepeat = 12 * time.Hour

// every is how often what still fires is told again; zero for never.
func every(spec *monitoringv1.AlertSpec) time.Duration {
	if spec.RepeatInterval == nil {
		return defaultRepeat
	}

	return spec.RepeatInterval.Duration
}

// compose is the notice of a group for which it is time.
func compose(spec *monitoringv1.AlertSpec, members []*monitoringv1.AlertSeries, mutes Mutes, now time.Time) *monitoringv1.AlertNotice {
	n := &monitoringv1.AlertNotice{At: metav1.NewTime(now), Repeat: true}

	for _, s := range members {
		fresh := !newsAt(spec, s).IsZero()

		switch {
		case mutes.Muted(labelsOf(spec, s), now):
			continue
		case over(s):
			n.Resolved = append(n.Resolved, s.Fingerprint)
		case fresh || s.Told == monitoringv1.StateFiring:
			n.Firing = append(n.Firing, s.Fingerprint)
		}

		n.Repeat = n.Repeat && !fresh
	}

	return n
}

// Sent notes that all notices on record are in the outbox.
func Sent(st *monitoringv1.AlertStatus) {
	told, gone := map[string]bool{}, map[string]bool{}
	// Both slices may be shared with a copy that shows what was before.
	groups := slices.Clone(st.Groups)

	for i := range groups {
		g := &groups[i]
		if g.Notice == nil {
			continue
		}

		for _, print := range g.Notice.Firing {
			told[print] = true
		}

		for _, print := range g.Notice.Resolved {
			gone[print] = true
		}

		at := g.Notice.At
		g.ToldAt, g.Notice = &at, nil

		if st.LastNotificationTime == nil || st.LastNotificationTime.Before(&at) {
			st.LastNotificationTime = &at
		}
	}

	st.Groups = groups

	var series []monitoringv1.AlertSeries

	for _, s := range st.Series {
		if gone[s.Fingerprint] {
			continue
		}

		if told[s.Fingerprint] {
			s.Told = monitoringv1.StateFiring
		}

		series = append(series, s)
	}

	settle(st, series)
}

// Outstanding is whether there are notices on record that may not be in the outbox.
func Outstanding(st *monitoringv1.AlertStatus) bool {
	return slices.ContainsFunc(st.Groups, func(g monitoringv1.AlertGroup) bool { return g.Notice != nil })
}

// Next is when something changes though nothing else does: the zero time for never.
func Next(spec *monitoringv1.AlertSpec, st *monitoringv1.AlertStatus, mutes Mutes, now time.Time) time.Time {
	var next time.Time

	if len(st.Series) > 0 {
		next = mutes.Change(now)
	}

	for i := range st.Series {
		s := &st.Series[i]

		switch {
		case s.State == monitoringv1.StatePending:
			next = earlier(next, s.StartsAt.Add(spec.For.Duration))
		case s.State == monitoringv1.StateFiring && s.EndsAt != nil:
			next = earlier(next, s.EndsAt.Add(spec.KeepFiringFor.Duration))
		}
	}

	groups := map[string]monitoringv1.AlertGroup{}
	for _, g := range st.Groups {
		groups[g.Key] = g
	}

	for key, members := range membersOf(spec, st) {
		g := groups[key]
		if due := dueAt(spec, &g, members, mutes, now); !due.IsZero() {
			next = earlier(next, due)
		}
	}

	return next
}
