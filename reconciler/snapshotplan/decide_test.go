package snapshotplan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/snapshotplan"
)

// told is a plan as a table has it.
func told(v *v1alpha1.Volume, p snapshotplan.Plan) string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }

	if p.Invalid != nil {
		add("%v", p.Invalid)
	}
	s := p.Status
	if s == nil {
		return strings.Join(append(lines, "no status"), "\n")
	}
	if s.Pending != nil {
		add("pending %s", s.Pending.Name)
	}
	for _, m := range p.Missed {
		add("missed %d %s to %s %s: %s", m.Count, m.FirstTime.UTC().Format("02@15"), m.LastTime.UTC().Format("02@15"), m.Reason, m.Message)
	}
	if s.LastSuccessfulTime != nil {
		add("good %s", s.LastSuccessfulTime.UTC().Format("02@15"))
	}
	if s.NextScheduleTime != nil {
		add("next %s", s.NextScheduleTime.UTC().Format("02@15"))
	}
	if p.Create != nil {
		add("create %s", p.Create.Name)
	}
	for _, name := range p.Delete {
		add("delete %s", name)
	}

	return strings.Join(lines, "\n")
}

func TestDecide(t *testing.T) {
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	list := func(s ...v1alpha1.VolumeSnapshot) []v1alpha1.VolumeSnapshot { return s }
	suspended := func(v *v1alpha1.Volume) { v.Spec.Snapshots.Suspend = true }
	second := snapshotplan.Names(hourly(), noon)[1]

	for name, c := range map[string]struct {
		reason    string
		volume    *v1alpha1.Volume
		snapshots []v1alpha1.VolumeSnapshot
		restoring string
		want      []string
	}{
		"NoSchedule": {
			"Without a schedule there is nothing to say.", data(v1alpha1.VolumeSnapshots{Keep: new(int32(1))}),
			list(of(at(-3), taken(at(-3))), of(at(-2), taken(at(-2)))), "", []string{"no status"},
		},
		"NoSnapshots": {"Nor without the field.", hourly(func(v *v1alpha1.Volume) { v.Spec.Snapshots = nil }), nil, "", []string{"no status"}},
		"NoData": {
			"Of what was never there nothing is made, and nothing is missed.",
			data(v1alpha1.VolumeSnapshots{Schedule: "@hourly"}, func(v *v1alpha1.Volume) { v.Status.ProvisionedAt = nil }), nil, "", []string{""},
		},
		"First": {
			"Ticks count from when there is data and a schedule, not from years ago.",
			data(v1alpha1.VolumeSnapshots{Schedule: "@hourly"}), nil, "", []string{"next 23@13"},
		},
		"Due": {"A tick is put on record.", hourly(), nil, "", []string{"pending data-202611231200", "next 23@13"}},
		"OnRecord": {
			"And then its snapshot is made.", hourly(pending(noon, 0)), nil, "",
			[]string{"pending data-202611231200", "next 23@13", "create data-202611231200"},
		},
		"Made":  {"And then it is not made again.", hourly(pending(noon, 0)), list(of(noon)), "", []string{"next 23@13"}},
		"Going": {"Not if somebody deletes it at once either.", hourly(pending(noon, 0)), list(of(noon, going)), "", []string{"next 23@13"}},
		"Taken": {
			"A name that somebody else has is left to them.", hourly(pending(noon, 0)), list(of(noon, foreign)), "",
			[]string{"pending " + second, "next 23@13"},
		},
		"OtherVolume": {
			"So is that of a Volume that had the name before.", hourly(pending(noon, 0)),
			list(of(noon, func(s *v1alpha1.VolumeSnapshot) { s.Labels[v1alpha1.LabelSnapshotVolume] = "other" })), "",
			[]string{"pending " + second, "next 23@13"},
		},
		"AllTaken": {
			"When both are taken that is told.", hourly(pending(noon, 0)),
			list(of(noon, foreign), of(noon, foreign, func(s *v1alpha1.VolumeSnapshot) { s.Name = second })), "",
			[]string{"missed 1 23@12 to 23@12 Refused: other snapshots have the names data-202611231200 and " + second, "next 23@13"},
		},
		"Refused": {
			"What could not be made before the next tick never is.",
			hourly(pending(at(-1), 0), func(v *v1alpha1.Volume) { v.Status.Snapshots.Pending.Message = "the quota is used up" }), nil, "",
			[]string{"pending data-202611231200", "missed 1 23@11 to 23@11 Refused: the quota is used up", "next 23@13"},
		},
		"InProgress": {
			"One at a time.", hourly(), list(of(at(-1))), "",
			[]string{"missed 1 23@12 to 23@12 InProgress: snapshot data-202611231100 was still being made", "next 23@13"},
		},
		"FailedBefore": {"One that has failed is in nobody's way.", hourly(), list(of(at(-1), broken)), "", []string{"pending data-202611231200", "next 23@13"}},
		"Down": {
			"The latest is made up for, the others are counted.",
			hourly(func(v *v1alpha1.Volume) {
				v.Status.Snapshots.Clock.DecidedUntil = *stamp(at(-4))
				v.Status.Snapshots.Clock.Ran[0].Until = *stamp(at(-4))
			}), nil, "",
			[]string{
				"pending data-202611231200",
				"missed 3 23@09 to 23@11 NotObserved: nothing could begin a snapshot: the data could not be used, Dogker was down, or the clock was put forward", "next 23@13",
			},
		},
		"Suspended": {"Nothing is made, and nothing goes.", hourly(suspended), list(of(at(-5), taken(at(-5))), of(at(-4), taken(at(-4))), of(at(-3), taken(at(-3)))), "", []string{"good 23@09"}},
		"SuspendedAfterRecord": {
			"Not what was to be made either.", hourly(pending(noon, 0), suspended), nil, "",
			[]string{"missed 1 23@12 to 23@12 Suspended: spec.snapshots.suspend is true"},
		},
		"Retention": {
			"The newest good ones stay, and what others have made.", hourly(pending(noon, 0)),
			list(of(at(-4), taken(at(-4))), of(at(-3), foreign, taken(at(-3))), of(at(-2), taken(at(-2))), of(at(-1), taken(at(-1))), of(noon)), "",
			[]string{"good 23@11", "next 23@13", "delete data-202611230800"},
		},
		"RetentionFailed": {
			"Ones that have failed do not push good ones out, and the last of them tells why there is none.", hourly(pending(noon, 0)),
			list(of(at(-4), taken(at(-4))), of(at(-3), taken(at(-3))), of(at(-2), broken), of(at(-1), broken), of(noon)), "",
			[]string{"good 23@09", "next 23@13", "delete data-202611231000"},
		},
		"Restoring": {
			"One that a Volume is restored from stays.", hourly(pending(noon, 0)),
			list(of(at(-4), taken(at(-4))), of(at(-3), taken(at(-3))), of(at(-2), taken(at(-2))), of(noon)), "data-202611230800",
			[]string{"good 23@10", "next 23@13"},
		},
		"OfTheFuture": {
			"One that a clock has made that was ahead is older than what is made now.", hourly(pending(noon, 0)),
			list(of(at(900), taken(at(900))), of(at(-1), taken(at(-1))), of(noon, taken(noon))), "",
			[]string{"good 31@00", "next 23@13", "delete data-202612310000"},
		},
		"NeverComes": {
			"What can never come says so.", hourly(func(v *v1alpha1.Volume) { v.Spec.Snapshots.Schedule = "0 0 31 2 *" }), list(of(at(-1), taken(at(-1)))), "",
			[]string{`spec.snapshots.schedule: Invalid value: "0 0 31 2 *": it never comes: no month that is named has a day that is named`, "good 23@11"},
		},
		"NoZone": {
			"So does a zone that is none.", hourly(func(v *v1alpha1.Volume) { v.Spec.Snapshots.TimeZone = "Mars" }), nil, "",
			[]string{`spec.snapshots.timeZone: Invalid value: "Mars": must be the name of a time zone, such as Asia/Jakarta`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.volume.DeepCopy()
			p := snapshotplan.Decide(snapshotplan.Input{
				Now: noon.Add(2 * time.Second), Volume: c.volume, Snapshots: c.snapshots, Restoring: map[string]bool{c.restoring: true},
			})
			if diff := cmp.Diff(strings.Join(c.want, "\n"), told(c.volume, p)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(before, c.volume); diff != "" {
				t.Errorf("What was read is changed:\n%s", diff)
			}
		})
	}
}

// TestNew wants a snapshot that says whose it is, and that outlives the Volume.
func TestNew(t *testing.T) {
	v := hourly(pending(noon, 0))
	s := snapshotplan.New(v, v.Status.Snapshots.Pending)

	if s.Spec.Source.VolumeName != "data" || s.Spec.ClassName != "nightly" || len(s.OwnerReferences) > 0 {
		t.Errorf("got %+v", s)
	}
	if at, ours := snapshotplan.Scheduled(v, s); !ours || !at.Equal(noon) {
		t.Errorf("it is of %s, %t", at, ours)
	}
	if other := hourly(func(v *v1alpha1.Volume) { v.UID = "other" }); snapshotplan.IsOf(other, s, noon) {
		t.Error("it is that of another Volume")
	}
}
