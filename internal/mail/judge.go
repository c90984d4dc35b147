package mail

import (
	"errors"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/dogker/dogker/internal/outbox"
)

// judge says what an error of the server means.
func judge(err error) error {
	if err == nil {
		return nil
	}
	unusable := outbox.Failed(outbox.ErrUnreachable, "The platform can send no mail now.", err)
	var failed *gomail.SendError
	if !errors.As(err, &failed) {
		return unusable
	}
	// The server shuts down with 421, whatever it was asked.
	code, enhanced := failed.ErrorCode(), failed.EnhancedStatusCode()
	if code == 0 || code == 421 {
		return unusable
	}

	switch failed.Reason {
	case gomail.ErrSMTPRcptTo:
		switch {
		case code/100 == 4:
			return outbox.Failed(outbox.ErrLater, "The mail server does not take mail for this address now.", err)
		case code == 530, code == 554, strings.HasPrefix(enhanced, "5.7."):
			// It is not the address that is wrong but what we may do: the operator can change that.
			return outbox.Failed(outbox.ErrRefused, "The mail server does not let the platform write to this address.", err)
		default:
			return outbox.Failed(outbox.ErrFinal, "The mail server does not know this address.", err)
		}
	case gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		if code/100 == 4 {
			return outbox.Failed(outbox.ErrLater, "The mail server does not take the mail now.", err)
		}
		return outbox.Failed(outbox.ErrFinal, "The mail server does not take the mail.", err)
	default:
		return unusable
	}
}
