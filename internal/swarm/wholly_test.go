package swarm

import "testing"

// TestWholly: what an engine says and this program does not know would be lost in the next write.
func TestWholly(t *testing.T) {
	cases := map[string]struct {
		reason, raw string
		ok          bool
	}{
		"Known":   {"All of it is known.", `{"ID":"x","New":1,"Spec":{"Name":"a","TaskTemplate":{"ContainerSpec":{"Image":"b"}}}}`, true},
		"Unknown": {"A field of a newer engine is none of ours.", `{"Spec":{"Name":"a","TaskTemplate":{"ContainerSpec":{"Image":"b","Shiny":true}}}}`, false},
		"Nothing": {"An engine in memory has no text.", ``, true},
		"NoJSON":  {"What cannot be read is not believed.", `<html>`, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if err := wholly([]byte(tc.raw)); (err == nil) != tc.ok {
				t.Errorf("%s\ngot %v", tc.reason, err)
			}
		})
	}
}
