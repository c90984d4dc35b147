package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Version and kind of a report. Fields may be added to a version; their meaning does not change.
const (
	ReportAPIVersion = "audit.dogker.io/v1"
	ReportKind       = "AuditReport"
	// Benchmark is the one whose numbers are the ids of checks.
	Benchmark = "CIS Docker Benchmark v1.6.0"
)

// Outcome is what a check has come to.
type Outcome string

// The outcomes.
const (
	// OutcomePass: everything that was looked at is right.
	OutcomePass Outcome = "Pass"
	// OutcomeFinding: something is not.
	OutcomeFinding Outcome = "Finding"
	// OutcomeNotApplicable: there is nothing here that could be wrong.
	OutcomeNotApplicable Outcome = "NotApplicable"
	// OutcomeUnseen: it cannot be seen from here, or not for all objects.
	OutcomeUnseen Outcome = "Unseen"
	// OutcomeHidden: there are findings, and all of them are milder than was asked for.
	OutcomeHidden Outcome = "Hidden"
)

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	// SeverityCritical: whoever is in the container has the node.
	SeverityCritical Severity = "critical"
	// SeverityHigh: a wall between containers, or to the node, is missing.
	SeverityHigh Severity = "high"
	// SeverityMedium: one of several walls is missing, or a container can starve others.
	SeverityMedium Severity = "medium"
	// SeverityLow: good practice that is not followed.
	SeverityLow Severity = "low"
	// SeverityAdvice: only who wrote the application can say whether it can be better.
	SeverityAdvice Severity = "advice"
)

// severities from the worst to the mildest.
var severities = []Severity{SeverityCritical, SeverityHigh, SeverityMedium, SeverityLow, SeverityAdvice}

// ParseSeverity reads the name of a severity.
func ParseSeverity(s string) (Severity, error) {
	if slices.Contains(severities, Severity(s)) {
		return Severity(s), nil
	}

	names := make([]string, len(severities))
	for i, known := range severities {
		names[i] = string(known)
	}

	return "", fmt.Errorf("%q is not one of: %s", s, strings.Join(names, ", "))
}

// rank is 0 for the worst.
func (s Severity) rank() int { return slices.Index(severities, s) }

// Owners of objects, and their kinds.
const (
	// OwnerDogker is on objects that Dogker made.
	OwnerDogker = "Dogker"
	// OwnerForeign is on objects that somebody else made.
	OwnerForeign = "Foreign"

	// KindTenantContainer is a container that a tenant has declared, and the service that Dogker has made of it.
	KindTenantContainer = "TenantContainer"
	// KindTenantJob is a job that a tenant has declared, and the services of its runs.
	KindTenantJob = "TenantJob"
	// KindGitSync, KindImagePolicy and KindGitPreview are what follows a repository.
	KindGitSync     = "GitSync"
	KindImagePolicy = "ImagePolicy"
	KindGitPreview  = "GitPreview"
	// KindService is a service that Dogker has not made.
	KindService = "Service"
	// KindContainer is a container of no service.
	KindContainer = "Container"
	// KindNetwork is an overlay network.
	KindNetwork = "Network"
	// KindNode is a node of the swarm.
	KindNode = "Node"
	// KindSwarm is the swarm as a whole.
	KindSwarm = "Swarm"
	// KindEngine is the engine that was asked.
	KindEngine = "Engine"
	// KindHost is the machine of that engine.
	KindHost = "Host"
)

// Object is what a finding is about.
type Object struct {
	// Kind is one of the constants above.
	Kind string `json:"kind"`
	// Namespace of an object of the API, and of a network of ours.
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Owner is Dogker or Foreign, for what one can be the owner of.
	Owner string `json:"owner,omitempty"`
}

// String implements fmt.Stringer.
func (o Object) String() string {
	name := o.Name
	if o.Namespace != "" {
		name = o.Namespace + "/" + name
	}
	text := strings.ToLower(o.Kind) + " " + name
	if o.Owner == OwnerForeign {
		text += " (foreign)"
	}

	return text
}

func compareObjects(x, y Object) int {
	return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name))
}

// Finding is one thing that is not right.
type Finding struct {
	Severity Severity `json:"severity"`
	Object   Object   `json:"object"`
	// Found is what there is.
	Found string `json:"found"`
	// Right is what there should be.
	Right string `json:"right"`
	// Remedy is how to get there.
	Remedy string `json:"remedy"`
}

// Reason is why a check says neither yes nor no about some objects. Without objects it is about all.
type Reason struct {
	Why     string   `json:"why"`
	Objects []Object `json:"objects,omitempty"`
}

// Check is one check and what it has come to.
type Check struct {
	// ID is the number in the benchmark, or the id of a rule of ours.
	ID string `json:"id"`
	// Section of the benchmark, or of the profiles.
	Section string  `json:"section"`
	Title   string  `json:"title"`
	Outcome Outcome `json:"outcome"`
	// Passed counts the objects that are right.
	Passed   int       `json:"passed"`
	Findings []Finding `json:"findings,omitempty"`
	// Hidden counts the findings that are milder than was asked for.
	Hidden        int      `json:"hidden,omitempty"`
	NotApplicable []Reason `json:"notApplicable,omitempty"`
	Unseen        []Reason `json:"unseen,omitempty"`
}

// Scope is what was looked at.
type Scope struct {
	// Node is the one whose engine was asked.
	Node          string `json:"node"`
	EngineVersion string `json:"engineVersion"`
	APIVersion    string `json:"apiVersion"`
	// OtherNodes are those whose engines were not asked.
	OtherNodes []string `json:"otherNodes,omitempty"`
	// Services of ours and of others, and containers that were inspected.
	Services        int `json:"services"`
	ForeignServices int `json:"foreignServices"`
	Containers      int `json:"containers"`
	// Namespace that the report is limited to; empty when it is about everything.
	Namespace string `json:"namespace,omitempty"`
	// Severity is the mildest that is listed.
	Severity Severity `json:"severity"`
}

// Summary counts.
type Summary struct {
	// Checks by outcome.
	Checks map[Outcome]int `json:"checks"`
	// Findings by severity.
	Findings map[Severity]int `json:"findings"`
	// Hidden findings, by severity, are milder than was asked for. They are not in the report.
	Hidden map[Severity]int `json:"hidden,omitempty"`
}

// Report is the result of an audit.
type Report struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Benchmark  string    `json:"benchmark"`
	Time       time.Time `json:"time"`
	Scope      Scope     `json:"scope"`
	Summary    Summary   `json:"summary"`
	Checks     []Check   `json:"checks"`
}

// Count is the number of findings in the report.
func (r Report) Count() int {
	total := 0
	for _, n := range r.Summary.Findings {
		total += n
	}

	return total
}
