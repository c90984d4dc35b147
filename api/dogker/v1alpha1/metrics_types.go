package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Metrics says where each task tells Prometheus about itself. Prometheus finds the tasks by the lists of targets that the API
// server gives it, and reaches them through the API server: the port needs no publication.
type Metrics struct {
	// Port that answers, in plain HTTP: the name of a TCP port in ports, or a number. A number need not stand in ports.
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 1 && self <= 65535 : self.size() <= 15 && self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="must be a number from 1 to 65535, or the name of a port: at most 15 lower-case letters, digits and hyphens",messageExpression="'\"' + string(self) + '\" must be a number from 1 to 65535, or the name of a port: at most 15 lower-case letters, digits and hyphens'"
	Port intstr.IntOrString `json:"port"`

	// Path that is asked for.
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^/[a-zA-Z0-9._~/-]*$') && !self.contains('/../') && !self.endsWith('/..')",message="must begin with / and hold letters, digits, dots, hyphens, underscores, tildes and slashes only, and no /..",messageExpression="'\"' + self + '\" must begin with / and hold letters, digits, dots, hyphens, underscores, tildes and slashes only, and no /..'"
	// +kubebuilder:default="/metrics"
	// +optional
	Path string `json:"path,omitempty"`

	// Interval between two scrapes: 5s to 1h, and as Prometheus is configured when it is not set.
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5s') && duration(self) <= duration('1h')",message="must be from 5s to 1h",messageExpression="'\"' + self + '\" must be from 5s to 1h'"
	// +optional
	Interval *metav1.Duration `json:"interval,omitempty"`
}

// MetricsPath is where metrics are when spec.metrics.path is not set.
const MetricsPath = "/metrics"

// MetricsPort is the number of the port that tells about a task; 0 when there is none.
func (s *TenantContainerSpec) MetricsPort() int32 {
	if s.Metrics == nil {
		return 0
	}
	if s.Metrics.Port.Type == intstr.Int {
		return s.Metrics.Port.IntVal
	}
	for i := range s.Ports {
		if p := &s.Ports[i]; p.Name == s.Metrics.Port.StrVal && (p.Protocol == "" || p.Protocol == "TCP") {
			return p.ContainerPort
		}
	}

	return 0
}
