package outcome_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/outcome"
)

func TestText(t *testing.T) {
	errBoom := errors.New("boom")

	cases := map[string]struct {
		reason string
		err    error
		want   string
	}{
		"MessageFirst": {
			reason: "What was written for people wins over what was written for the log.",
			err:    &outcome.Wait{Reason: "Starting", Message: "tasks are starting", Err: errBoom},
			want:   "tasks are starting",
		},
		"CauseWithoutMessage": {
			reason: "A cause is better than a single word.",
			err:    &outcome.Stall{Reason: "InvalidSpec", Err: errBoom},
			want:   "boom",
		},
		"ReasonAtLeast": {
			reason: "A condition without a message would be refused by nobody and understood by nobody.",
			err:    &outcome.Wait{Reason: "Starting"},
			want:   "Starting",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.err.Error()); diff != "" {
				t.Errorf("%s\nError() (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestCauseStaysReachable(t *testing.T) {
	errBoom := errors.New("boom")

	for _, err := range []error{
		fmt.Errorf("apply: %w", &outcome.Wait{Reason: "Starting", Err: errBoom}),
		fmt.Errorf("apply: %w", &outcome.Stall{Reason: "InvalidSpec", Message: "no", Err: errBoom}),
	} {
		if !errors.Is(err, errBoom) {
			t.Errorf("errors.Is(%v, errBoom) = false: an ending must not hide its cause", err)
		}
	}
}
