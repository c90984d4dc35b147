package v1alpha1

// Text is a string that reaches the engine. The engine expands Go templates in most strings of a service, on the
// manager and again on the node, after any check: so {{ and }} are refused in all of them. A zero byte ends a string for
// the kernel, which lets no process start with one.
//
// +kubebuilder:validation:MaxLength=32768
// +kubebuilder:validation:Pattern=`^[^\x00]*$`
// +kubebuilder:validation:XValidation:rule="!self.contains('{{') && !self.contains('}}')",message="must not contain {{ or }}: the engine would expand it as a template",messageExpression="'\"' + (self.size() > 80 ? self.substring(0, 80) + '…' : self) + '\" must not contain {{ or }}: the engine would expand it as a template'"
type Text string

// ShortText is a Text of at most 255 characters.
//
// +kubebuilder:validation:MaxLength=255
// +kubebuilder:validation:Pattern=`^[^\x00]*$`
// +kubebuilder:validation:XValidation:rule="!self.contains('{{') && !self.contains('}}')",message="must not contain {{ or }}: the engine would expand it as a template",messageExpression="'\"' + self + '\" must not contain {{ or }}: the engine would expand it as a template'"
type ShortText string

// DNSLabel is an RFC 1123 label: at most 63 lower-case letters, digits and hyphens, beginning and ending with a letter
// or digit.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
type DNSLabel string

// ObjectName is the name of a Kubernetes object: an RFC 1123 subdomain.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
type ObjectName string

// DataKey is a key in a Secret or ConfigMap.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
type DataKey string

// AbsolutePath is a clean absolute path inside the container, other than / and anything under /proc, /sys or /dev.
//
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=1024
// +kubebuilder:validation:Pattern=`^(/[^/{}\x00-\x1f]+)+$`
// +kubebuilder:validation:XValidation:rule="!self.split('/').exists(p, p == '.' || p == '..')",message="must be a clean path without . and .. elements",messageExpression="'\"' + self + '\" must be a clean path without . and .. elements'"
// +kubebuilder:validation:XValidation:rule="!['/proc', '/sys', '/dev'].exists(p, self == p || self.startsWith(p + '/'))",message="must not lie under /proc, /sys or /dev",messageExpression="'\"' + self + '\" must not lie under /proc, /sys or /dev'"
type AbsolutePath string

// LabelText is a Text of at most 4096 characters.
//
// +kubebuilder:validation:MaxLength=4096
// +kubebuilder:validation:Pattern=`^[^\x00]*$`
// +kubebuilder:validation:XValidation:rule="!self.contains('{{') && !self.contains('}}')",message="must not contain {{ or }}: the engine would expand it as a template",messageExpression="'\"' + (self.size() > 80 ? self.substring(0, 80) + '…' : self) + '\" must not contain {{ or }}: the engine would expand it as a template'"
type LabelText string
