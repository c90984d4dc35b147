package v1alpha1

// UserMonitoring is who writes annotations that begin with monitoring.dogker.io/, and nobody else does.
const UserMonitoring = "system:dogker:monitoring"

// AnnotationReplicas on a TenantContainer with spec.autoscaling is how many tasks it is to have, as the autoscaler decided.
const AnnotationReplicas = "monitoring.dogker.io/replicas"
