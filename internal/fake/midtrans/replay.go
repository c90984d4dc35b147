package midtrans

import (
	"net/http"
	"time"

	"github.com/dogker/dogker/reconciler/payment"
)

// replayLife is how long a successful answer is replayed for its idempotency key.
const replayLife = 5 * time.Minute

// replay is what is known of an idempotency key.
type replay struct {
	done  bool
	reply reply
	until time.Time
}

// once does what is asked unless its idempotency key says that it was done: then the first answer is given again, also if
// it was to another body or another endpoint. While the first is under way the answer is 202.
func (s *Server) once(op payment.Operation, r *http.Request, do func(*http.Request) reply) reply {
	key := r.Header.Get("Idempotency-Key")
	if key == "" || r.Method != http.MethodPost || op == payment.OpCheckout && s.options.SnapIgnoresIdempotency {
		return do(r)
	}

	s.mu.Lock()
	if known, ok := s.replays[key]; ok && (!known.done || time.Now().Before(known.until)) {
		defer s.mu.Unlock()

		if !known.done {
			return reply{code: http.StatusAccepted, body: map[string]any{"status_message": "The request is being processed"}}
		}

		return copied(known.reply)
	}

	s.replays[key] = &replay{}
	s.mu.Unlock()

	answer := do(r)

	s.mu.Lock()
	defer s.mu.Unlock()

	if answer.code >= http.StatusMultipleChoices && answer.code != expiredCode {
		delete(s.replays, key)
	} else {
		s.replays[key] = &replay{done: true, reply: copied(answer), until: time.Now().Add(replayLife)}
	}

	return answer
}

// copied is a reply whose body can be written into.
func copied(r reply) reply {
	body := make(map[string]any, len(r.body))
	for k, v := range r.body {
		body[k] = v
	}

	r.body = body

	return r
}
