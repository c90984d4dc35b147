package conditions

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The types that summarise; every kind has them.
const (
	Ready       = "Ready"
	Reconciling = "Reconciling"
	Stalled     = "Stalled"
)

// MaxMessage is the number of characters that a message may have. What is longer says no more to anybody, and an engine's
// error can be endless.
const MaxMessage = 1024

// Object is an API object with conditions in its status.
type Object interface {
	GetGeneration() int64
	GetConditions() []metav1.Condition
	SetConditions([]metav1.Condition)
}

// Get returns the condition of that type, or nil. It is a copy: changing it changes nothing.
func Get(o Object, conditionType string) *metav1.Condition {
	for _, c := range o.GetConditions() {
		if c.Type == conditionType {
			return &c
		}
	}

	return nil
}

// IsTrue tells whether the condition is there and True.
func IsTrue(o Object, conditionType string) bool {
	c := Get(o, conditionType)

	return c != nil && c.Status == metav1.ConditionTrue
}

// Set adds or replaces the condition of that type. It fills in observedGeneration, keeps the transition time unless the
// status changes, and cuts the message.
func Set(o Object, conditionType string, status metav1.ConditionStatus, reason, message string) {
	c := metav1.Condition{
		Type:               conditionType,
		Status:             status,
		ObservedGeneration: o.GetGeneration(),
		LastTransitionTime: now(),
		Reason:             reason,
		Message:            cut(message),
	}

	// The slice may be shared with a copy of the object that shows what it was before, so it is never written in place.
	all := slices.Clone(o.GetConditions())

	i := slices.IndexFunc(all, func(have metav1.Condition) bool { return have.Type == conditionType })
	if i < 0 {
		all = append(all, c)
	} else {
		if all[i].Status == status && !all[i].LastTransitionTime.IsZero() {
			c.LastTransitionTime = all[i].LastTransitionTime
		}

		all[i] = c
	}

	slices.SortFunc(all, byPlace)
	o.SetConditions(all)
}

// Delete removes the condition of that type if it is there.
func Delete(o Object, conditionType string) {
	if Get(o, conditionType) == nil {
		return
	}

	o.SetConditions(slices.DeleteFunc(slices.Clone(o.GetConditions()), func(c metav1.Condition) bool {
		return c.Type == conditionType
	}))
}

// MarkReady says that everything is as declared.
func MarkReady(o Object, reason, message string) {
	Set(o, Ready, metav1.ConditionTrue, reason, message)
	Delete(o, Reconciling)
	Delete(o, Stalled)
}

// MarkWaiting says that it is being worked on. Status is that of Ready meanwhile.
func MarkWaiting(o Object, status metav1.ConditionStatus, reason, message string) {
	Set(o, Ready, status, reason, message)
	Set(o, Reconciling, metav1.ConditionTrue, reason, message)
	Delete(o, Stalled)
}

// MarkStalled says that only a change by somebody can help. Status is that of Ready meanwhile.
func MarkStalled(o Object, status metav1.ConditionStatus, reason, message string) {
	Set(o, Ready, status, reason, message)
	Set(o, Stalled, metav1.ConditionTrue, reason, message)
	Delete(o, Reconciling)
}

// now has the precision that the API keeps, so that an object equals itself read back.
func now() metav1.Time {
	t := metav1.Now()

	return t.Rfc3339Copy()
}

// byPlace puts the summary first and the rest in the order of the alphabet.
func byPlace(a, b metav1.Condition) int {
	return cmp.Or(cmp.Compare(place(a.Type), place(b.Type)), strings.Compare(a.Type, b.Type))
}

func place(conditionType string) int {
	i := slices.Index([]string{Ready, Reconciling, Stalled}, conditionType)
	if i < 0 {
		return 3
	}

	return i
}

// cut shortens a message to MaxMessage characters and replaces what is not UTF-8, which the API would refuse.
func cut(message string) string {
	message = strings.ToValidUTF8(strings.TrimSpace(message), "\uFFFD")
	if utf8.RuneCountInString(message) <= MaxMessage {
		return message
	}

	return string([]rune(message)[:MaxMessage-1]) + "…"
}
