package v1alpha1

// LocalObjectReference names an object of the same namespace.
type LocalObjectReference struct {
	// Name of the object.
	Name ObjectName `json:"name"`
}

// KeySelector names one key of a Secret or ConfigMap of the same namespace.
type KeySelector struct {
	// Name of the object.
	Name ObjectName `json:"name"`
	// Key in its data.
	Key DataKey `json:"key"`
	// Optional lets the container start without the object or the key.
	// +optional
	Optional bool `json:"optional,omitempty"`
}

// EnvVar is one environment variable.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.value) && has(self.valueFrom))",message="only one of value and valueFrom may be set"
type EnvVar struct {
	// Name of the variable.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
	Name string `json:"name"`
	// Value of the variable; empty when neither it nor valueFrom is set.
	// +optional
	Value *Text `json:"value,omitempty"`
	// ValueFrom takes the value from a Secret or ConfigMap. Values from Secrets can be read by whoever may inspect the
	// service in Swarm; files cannot.
	// +optional
	ValueFrom *EnvVarSource `json:"valueFrom,omitempty"`
}

// EnvVarSource is where the value of a variable comes from.
//
// +kubebuilder:validation:XValidation:rule="has(self.secretKeyRef) != has(self.configMapKeyRef)",message="exactly one of secretKeyRef and configMapKeyRef must be set"
type EnvVarSource struct {
	// SecretKeyRef takes a key of a Secret.
	// +optional
	SecretKeyRef *KeySelector `json:"secretKeyRef,omitempty"`
	// ConfigMapKeyRef takes a key of a ConfigMap.
	// +optional
	ConfigMapKeyRef *KeySelector `json:"configMapKeyRef,omitempty"`
}

// EnvFromSource takes all keys of one object.
//
// +kubebuilder:validation:XValidation:rule="has(self.secretRef) != has(self.configMapRef)",message="exactly one of secretRef and configMapRef must be set"
type EnvFromSource struct {
	// Prefix put before every key.
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^([A-Za-z_][A-Za-z0-9_]*)?$`
	// +optional
	Prefix string `json:"prefix,omitempty"`
	// SecretRef takes the keys of a Secret.
	// +optional
	SecretRef *ObjectSource `json:"secretRef,omitempty"`
	// ConfigMapRef takes the keys of a ConfigMap.
	// +optional
	ConfigMapRef *ObjectSource `json:"configMapRef,omitempty"`
}

// ObjectSource names a Secret or ConfigMap of the same namespace.
type ObjectSource struct {
	// Name of the object.
	Name ObjectName `json:"name"`
	// Optional lets the container start without the object.
	// +optional
	Optional bool `json:"optional,omitempty"`
}

// File is one file in the container.
//
// +kubebuilder:validation:XValidation:rule="has(self.secretKeyRef) != has(self.configMapKeyRef)",message="exactly one of secretKeyRef and configMapKeyRef must be set"
type File struct {
	// Path of the file in the container.
	Path AbsolutePath `json:"path"`
	// SecretKeyRef takes the content from a key of a Secret; the file lies in memory, and is limited to 500 KiB.
	// +optional
	SecretKeyRef *KeySelector `json:"secretKeyRef,omitempty"`
	// ConfigMapKeyRef takes the content from a key of a ConfigMap, of at most 1000 KiB (500 KiB before engine 25).
	// +optional
	ConfigMapKeyRef *KeySelector `json:"configMapKeyRef,omitempty"`
	// Mode are the permission bits, 0444 when not set. YAML reads a leading zero as octal; JSON wants decimal (292).
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=511
	// +optional
	Mode *int32 `json:"mode,omitempty"`
	// UID that owns the file; 0 when not set.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	// +optional
	UID *int64 `json:"uid,omitempty"`
	// GID that owns the file; 0 when not set.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	// +optional
	GID *int64 `json:"gid,omitempty"`
}
