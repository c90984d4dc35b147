package v1alpha1

// HealthCheck is run inside the container by the engine of its node.
//
// +kubebuilder:validation:XValidation:rule="[has(self.exec), has(self.httpGet), has(self.tcpSocket), has(self.disabled) && self.disabled].filter(x, x).size() == 1",message="exactly one of exec, httpGet, tcpSocket and disabled: true must be set"
type HealthCheck struct {
	// Exec runs a command; exit code 0 is healthy.
	// +optional
	Exec *ExecCheck `json:"exec,omitempty"`
	// HTTPGet asks for a page; a status from 200 to 399 is healthy. Swarm knows commands only, so it runs the image's
	// own wget or curl in the image's own shell: an image that has neither needs exec.
	// +optional
	HTTPGet *HTTPCheck `json:"httpGet,omitempty"`
	// TCPSocket opens a connection. Swarm knows commands only, so it runs the image's own nc or bash: an image that has
	// neither needs exec.
	// +optional
	TCPSocket *TCPCheck `json:"tcpSocket,omitempty"`
	// Disabled turns the image's own HEALTHCHECK off.
	// +optional
	Disabled bool `json:"disabled,omitempty"`
	// PeriodSeconds between two checks.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	// +kubebuilder:default=10
	// +optional
	PeriodSeconds *int32 `json:"periodSeconds,omitempty"`
	// TimeoutSeconds after which a check has failed.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=60
	// +kubebuilder:default=5
	// +optional
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`
	// FailureThreshold is how many checks in a row must fail before the task is replaced.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +kubebuilder:default=3
	// +optional
	FailureThreshold *int32 `json:"failureThreshold,omitempty"`
	// StartPeriodSeconds after the start during which failures do not count.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3600
	// +optional
	StartPeriodSeconds *int32 `json:"startPeriodSeconds,omitempty"`
}

// ExecCheck runs a command in the container.
type ExecCheck struct {
	// Command and its arguments. It is not run in a shell.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	Command []CheckText `json:"command"`
}

// CheckText is a Text of at most 4096 characters.
//
// +kubebuilder:validation:MaxLength=4096
// +kubebuilder:validation:Pattern=`^[^\x00]*$`
// +kubebuilder:validation:XValidation:rule="!self.contains('{{') && !self.contains('}}')",message="must not contain {{ or }}: the engine would expand it as a template",messageExpression="'\"' + (self.size() > 80 ? self.substring(0, 80) + '…' : self) + '\" must not contain {{ or }}: the engine would expand it as a template'"
type CheckText string

// HTTPCheck asks the container itself for a page.
type HTTPCheck struct {
	// Path of the page.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^/[A-Za-z0-9/_.~%?&=+:@,;-]*$`
	// +kubebuilder:default=/
	// +optional
	Path string `json:"path,omitempty"`
	// Port inside the container.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
}

// TCPCheck opens a connection inside the container.
type TCPCheck struct {
	// Port inside the container.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
}
