package v1alpha1

// Condition types of status.autoscaling. They are those of a HorizontalPodAutoscaler.
const (
	// ConditionAbleToScale is False while the number of tasks cannot be changed, or is not to be.
	ConditionAbleToScale = "AbleToScale"
	// ConditionScalingActive is False while nothing can be decided: nothing is measured, or the container is not to run.
	ConditionScalingActive = "ScalingActive"
	// ConditionScalingLimited is True while something keeps the number from what metrics propose: bounds, policies, the quota or
	// the balance. Negative polarity.
	ConditionScalingLimited = "ScalingLimited"
)

// Reasons of AbleToScale, ScalingActive and ScalingLimited.
const (
	// ReasonReadyForNewScale: nothing keeps the number from being changed.
	ReasonReadyForNewScale = "ReadyForNewScale"
	// ReasonSucceededRescale: the number has just been changed.
	ReasonSucceededRescale = "SucceededRescale"
	// ReasonFailedRescale: the number could not be changed; it is tried again.
	ReasonFailedRescale = "FailedRescale"
	// ReasonScaleUpStabilized: more tasks were proposed, but fewer of them within the stabilization window.
	ReasonScaleUpStabilized = "ScaleUpStabilized"
	// ReasonScaleDownStabilized: fewer tasks were proposed, but more of them within the stabilization window.
	ReasonScaleDownStabilized = "ScaleDownStabilized"
	// ReasonCoolingDown: fewer tasks were proposed, but the number has been changed within cooldownSeconds.
	ReasonCoolingDown = "CoolingDown"
	// ReasonValidMetricFound: at least one metric could be measured.
	ReasonValidMetricFound = "ValidMetricFound"
	// ReasonFailedGetMetric: a metric could not be measured, and without it no task is taken away.
	ReasonFailedGetMetric = "FailedGetMetric"
	// ReasonScalingDisabled: spec.replicas is 0 while minReplicas is not, by which people turn it off.
	ReasonScalingDisabled = "ScalingDisabled"
	// ReasonNotRunning: the container is suspended, outside of its schedule, or being deleted.
	ReasonNotRunning = "NotRunning"
	// ReasonDesiredWithinRange: nothing keeps the number from what metrics propose.
	ReasonDesiredWithinRange = "DesiredWithinRange"
	// ReasonTooFewReplicas: fewer tasks were proposed than minReplicas.
	ReasonTooFewReplicas = "TooFewReplicas"
	// ReasonTooManyReplicas: more tasks were proposed than maxReplicas.
	ReasonTooManyReplicas = "TooManyReplicas"
	// ReasonScaleUpLimit: a policy of behavior.scaleUp allows no more at the moment.
	ReasonScaleUpLimit = "ScaleUpLimit"
	// ReasonScaleDownLimit: a policy of behavior.scaleDown allows no fewer at the moment.
	ReasonScaleDownLimit = "ScaleDownLimit"
	// ReasonInsufficientBalance: the balance would not last for more, for as long as the plan asks.
	ReasonInsufficientBalance = "InsufficientBalance"
	// ReasonScalingRefused: the platform refuses more for another reason.
	ReasonScalingRefused = "ScalingRefused"
)
