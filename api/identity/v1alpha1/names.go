package v1alpha1

// Names by which RBAC and the audit log know who acts. A User is known by the name of its object, which holds no colon;
// everything else that Dogker authenticates has one, and so has to have, or an @, whoever another issuer vouches for.
const (
	// GroupUsers holds every User.
	GroupUsers = "dogker:users"
	// GroupDeployTokens holds every DeployToken, and GroupDeployTokens:NAMESPACE those of one namespace.
	GroupDeployTokens = "dogker:deploy-tokens"
	// DeployTokenPrefix begins the name of whoever acts by a DeployToken: dogker:deploy-token:NAMESPACE:NAME.
	DeployTokenPrefix = "dogker:deploy-token:"
)

// Condition types and their reasons.
const (
	// ConditionReady is True while the User can log in.
	ConditionReady = "Ready"
	// ReasonGranted: access is granted and there is a password.
	ReasonGranted = "Granted"
	// ReasonPending: somebody has to approve the registration, by setting spec.access to Granted.
	ReasonPending = "Pending"
	// ReasonSuspended: access is suspended. No token of the User is accepted.
	ReasonSuspended = "Suspended"
	// ReasonNoPassword: access is granted, but nobody has set a password.
	ReasonNoPassword = "NoPassword"
)
