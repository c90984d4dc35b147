package identity

import (
	"context"
	"time"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
)

// LoginRequest is what somebody logs in with.
type LoginRequest struct {
	Username string `json:"username"`
	Password string `json:"password"`
	// Audiences are whom the tokens are for; empty for the API itself. A token for somebody else is not accepted by the
	// API, and its audience asks the API about it with a TokenReview.
	Audiences []string `json:"audiences,omitempty"`
}

// Tokens are what a login or a refresh hands out.
type Tokens struct {
	AccessToken           string    `json:"accessToken"`
	AccessExpirationTime  time.Time `json:"accessExpirationTime"`
	RefreshToken          string    `json:"refreshToken"`
	SessionExpirationTime time.Time `json:"sessionExpirationTime"`
}

// RefreshRequest asks for the next tokens of a session.
type RefreshRequest struct {
	RefreshToken string `json:"refreshToken"`
}

// LogoutRequest ends the session that the token belongs to, be it an access token or a refresh token.
type LogoutRequest struct {
	Token string `json:"token"`
	// Everywhere ends all sessions of the User.
	Everywhere bool `json:"everywhere,omitempty"`
}

// PasswordRequest changes one's own password.
type PasswordRequest struct {
	Username    string `json:"username"`
	Password    string `json:"password"`
	NewPassword string `json:"newPassword"`
}

// RegisterRequest makes a User of whoever sends it.
type RegisterRequest struct {
	Username    string `json:"username"`
	Email       string `json:"email"`
	DisplayName string `json:"displayName,omitempty"`
	Password    string `json:"password"`
}

// RegisterResponse says what became of a registration.
type RegisterResponse struct {
	Username string          `json:"username"`
	Access   v1alpha1.Access `json:"access"`
}

// SetPasswordRequest sets somebody else's password.
type SetPasswordRequest struct {
	Password string `json:"password"`
}

// DeployTokenResponse holds a token that is shown this once.
type DeployTokenResponse struct {
	Token          string    `json:"token"`
	ExpirationTime time.Time `json:"expirationTime"`
}

// Registration says what becomes of people who register.
type Registration string

// The kinds of registration.
const (
	// RegistrationOff: only administrators make Users.
	RegistrationOff Registration = "off"
	// RegistrationApproval: a User that registers is Pending until somebody approves it.
	RegistrationApproval Registration = "approval"
	// RegistrationOpen: a User that registers can log in, and may do nothing until somebody makes it a member of something.
	RegistrationOpen Registration = "open"
)

// People is where Users and DeployTokens are. What is read without a context comes from memory and must not be changed.
type People interface {
	// Synced says whether what is in memory is all there is.
	Synced() bool
	// User looks a User up.
	User(name string) (*v1alpha1.User, bool)
	// Users are all of them.
	Users() []*v1alpha1.User
	// DeployToken looks a DeployToken up.
	DeployToken(namespace, name string) (*v1alpha1.DeployToken, bool)
	// ReadUser and ReadDeployToken ask the API, and fail as it does.
	ReadUser(ctx context.Context, name string) (*v1alpha1.User, error)
	ReadDeployToken(ctx context.Context, namespace, name string) (*v1alpha1.DeployToken, error)
	// CreateUser makes a User and returns it as it was stored.
	CreateUser(ctx context.Context, u *v1alpha1.User) (*v1alpha1.User, error)
	// DeleteUser removes that very User; one that is gone is no error.
	DeleteUser(ctx context.Context, u *v1alpha1.User) error
	// ReportUser and ReportDeployToken write status.
	ReportUser(ctx context.Context, u *v1alpha1.User, status v1alpha1.UserStatus) error
	ReportDeployToken(ctx context.Context, t *v1alpha1.DeployToken, status v1alpha1.DeployTokenStatus) error
}
