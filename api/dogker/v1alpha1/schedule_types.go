package v1alpha1

// Schedule says at which times of the week a container runs. Outside of them it has no tasks, and nothing else changes: its
// revision, its addresses and its data are there when it runs again.
type Schedule struct {
	// TimeZone is the name of the zone whose clocks count, from the IANA database: Asia/Jakarta. UTC when not set.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	TimeZone string `json:"timeZone,omitempty"`
	// Windows in which it runs: while one of them is open.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	Windows []RunWindow `json:"windows"`
}

// RunWindow is a part of a day, or of the night into the next one.
type RunWindow struct {
	// Days on which it opens; every day when there are none.
	// +kubebuilder:validation:MaxItems=7
	// +listType=set
	// +optional
	Days []Weekday `json:"days,omitempty"`
	// Start is when it opens, as HH:MM.
	Start ClockTime `json:"start"`
	// Stop is when it closes, as HH:MM; 24:00 is the end of the day. A time that is not after start is one of the next day.
	Stop ClockTime `json:"stop"`
}

// Weekday is a day of the week.
//
// +kubebuilder:validation:Enum=Mon;Tue;Wed;Thu;Fri;Sat;Sun
type Weekday string

// ClockTime is a time of day, from 00:00 to 24:00.
//
// +kubebuilder:validation:MaxLength=5
// +kubebuilder:validation:XValidation:rule="self.matches('^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$')",message="must be a time of day as HH:MM, from 00:00 to 24:00",messageExpression="'\"' + self + '\" must be a time of day as HH:MM, from 00:00 to 24:00'"
type ClockTime string
