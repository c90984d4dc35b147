package autoscale

import (
	"testing"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

func TestReplicas(t *testing.T) {
	t.Parallel()

	bounds := func(least, most int32) *v1alpha1.Autoscaling {
		return &v1alpha1.Autoscaling{MinReplicas: &least, MaxReplicas: most}
	}

	for name, c := range map[string]struct {
		reason   string
		replicas *int32
		scaling  *v1alpha1.Autoscaling
		decided  string
		mode     v1alpha1.Mode
		want     int32
	}{
		"Nothing":         {reason: "A container that says nothing has one task.", want: 1},
		"Declared":        {reason: "Without autoscaling what is declared counts.", replicas: new(int32(3)), want: 3},
		"LeftOver":        {reason: "A decision does not outlive spec.autoscaling.", replicas: new(int32(3)), decided: "7", want: 3},
		"Start":           {reason: "Until it is decided, what is declared is the number to begin with.", replicas: new(int32(3)), scaling: bounds(2, 8), want: 3},
		"StartTooLow":     {reason: "Within the bounds.", replicas: new(int32(1)), scaling: bounds(2, 8), want: 2},
		"StartTooHigh":    {reason: "Both of them.", replicas: new(int32(9)), scaling: bounds(2, 8), want: 8},
		"Decided":         {reason: "What is decided counts.", replicas: new(int32(3)), scaling: bounds(2, 8), decided: "5", want: 5},
		"MaxLowered":      {reason: "Bounds count at once.", scaling: bounds(2, 4), decided: "5", want: 4},
		"MinRaised":       {reason: "Both of them.", scaling: bounds(6, 8), decided: "5", want: 6},
		"Garbage":         {reason: "What cannot be read is no decision.", replicas: new(int32(3)), scaling: bounds(2, 8), decided: "many", want: 3},
		"Negative":        {reason: "Nor is what cannot be.", replicas: new(int32(3)), scaling: bounds(2, 8), decided: "-1", want: 3},
		"Overflow":        {reason: "Nor what is no number of tasks.", replicas: new(int32(3)), scaling: bounds(2, 8), decided: "4294967297", want: 3},
		"TurnedOff":       {reason: "People turn it off by declaring nothing.", replicas: new(int32(0)), scaling: bounds(2, 8), decided: "5", want: 0},
		"MayScaleToZero":  {reason: "Where it may scale to zero itself, zero is a number to begin with.", replicas: new(int32(0)), scaling: bounds(0, 8), decided: "5", want: 5},
		"StartsAtZero":    {reason: "And it may stay there.", replicas: new(int32(0)), scaling: bounds(0, 8), want: 0},
		"DecidedZero":     {reason: "Zero is a decision where it is allowed.", scaling: bounds(0, 8), decided: "0", want: 0},
		"DecidedZeroBad":  {reason: "And none where it is not.", scaling: bounds(1, 8), decided: "0", want: 1},
		"Global":          {reason: "A global container has no number.", scaling: bounds(2, 8), decided: "5", mode: v1alpha1.ModeGlobal, want: 1},
		"WithoutMinimum":  {reason: "The least is one where nothing is said.", replicas: new(int32(1)), scaling: &v1alpha1.Autoscaling{MaxReplicas: 3}, decided: "0", want: 1},
		"DeclaredBelow":   {reason: "What was stored by another version is no surprise.", replicas: new(int32(-3)), want: 0},
		"BoundsUpsideOut": {reason: "Nor are bounds that the schema would refuse: the lower one counts.", scaling: bounds(5, 3), decided: "4", want: 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			tc := &v1alpha1.TenantContainer{Spec: v1alpha1.TenantContainerSpec{Replicas: c.replicas, Autoscaling: c.scaling, Mode: c.mode}}
			if c.decided != "" {
				tc.Annotations = map[string]string{v1alpha1.AnnotationReplicas: c.decided}
			}
			if got := Replicas(tc); got != c.want {
				t.Errorf("%s\ngot %d, want %d", c.reason, got, c.want)
			}
		})
	}
}
