package midtrans

import (
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dogker/dogker/reconciler/payment"
)

// pagePath is where pages are.
const pagePath = "/snap/v2/vtweb/"

//go:embed page.html
var pageText string

var pages = template.Must(template.New("page").Parse(pageText))

// view is what a page shows.
type view struct {
	Orders      []view
	OrderID     string
	Path        string
	Description string
	Amount      string
	Status      string
	Fraud       string
	ReturnURL   string
	Methods     []payment.Method
	Open        bool
	// Pending, Challenged and Paid choose the buttons.
	Pending, Challenged, Captured, Paid bool
	Error                               string
}

// shown are the methods that a page offers when its order names none.
var shown = []payment.Method{"gopay", "other_qris", "bca_va", "credit_card"}

func (s *Server) view(o *order) view {
	s.age(o)

	v := view{
		OrderID: o.id, Path: pagePath + o.token, Description: o.description, Amount: rupiah(o.amount), ReturnURL: safeURL(o.returnURL),
		Status: "no method chosen", Methods: o.methods, Open: time.Now().Before(o.pageExpires),
	}
	if len(v.Methods) == 0 {
		v.Methods = shown
	}

	if p := o.latest(); p != nil {
		v.Status, v.Fraud, v.Amount = string(p.Status), string(p.Fraud), rupiah(p.gross())
		v.Pending, v.Challenged = p.Status == payment.StatusPending, challenged(p)
		v.Captured = p.Status == payment.StatusCapture && !v.Challenged
		v.Paid = p.Status == payment.StatusSettlement || p.Status == payment.StatusPartialRefund
	}

	return v
}

// safeURL is an address of the web, or nothing: the page links to it.
func safeURL(text string) string {
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		return text
	}

	return ""
}

// rupiah writes an amount as people do: Rp 10.000.
func rupiah(a payment.IDR) string {
	digits := a.String()

	var groups []string
	for ; len(digits) > 3; digits = digits[:len(digits)-3] {
		groups = append(groups, digits[len(digits)-3:])
	}

	groups = append(groups, digits)
	slices.Reverse(groups)

	return "Rp " + strings.Join(groups, ".")
}

// showPage shows the page of an order.
func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	o, ok := s.tokens[r.PathValue("token")]

	var v view
	if ok {
		v = s.view(o)
	}
	s.mu.Unlock()

	if !ok {
		http.Error(w, "This page is no longer there; ask for a new one.", http.StatusNotFound)
		return
	}

	v.Error = r.URL.Query().Get("error")
	render(w, v)
}

// showOrders lists all orders, newest first.
func (s *Server) showOrders(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	views := make([]view, 0, len(s.orders))

	for _, o := range s.orders {
		views = append(views, s.view(o))
	}
	s.mu.Unlock()

	slices.SortFunc(views, func(a, b view) int { return strings.Compare(b.OrderID, a.OrderID) })
	render(w, view{Orders: views})
}

func render(w http.ResponseWriter, v view) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	_ = pages.Execute(w, v)
}

// pressPage presses a button of a page.
func (s *Server) pressPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	o, ok := s.tokens[r.PathValue("token")]

	id := ""
	if ok {
		id = o.id
	}
	s.mu.Unlock()

	if !ok {
		http.Error(w, "This page is no longer there; ask for a new one.", http.StatusNotFound)
		return
	}

	where := r.URL.Path
	if err := s.press(id, r.FormValue("button"), payment.Method(r.FormValue("method"))); err != nil {
		where += "?error=" + template.URLQueryEscaper(err.Error())
	}

	http.Redirect(w, r, where, http.StatusSeeOther)
}

// press does what a button says.
func (s *Server) press(id, button string, method payment.Method) error {
	var err error

	switch button {
	case "pay":
		_, err = s.Pay(id, method)
	case "choose":
		_, err = s.Choose(id, method)
	case "challenge":
		if _, err = s.Choose(id, method); err == nil {
			err = s.Challenge(id)
		}
	case "approve":
		err = s.Change(id, func(p *Payment) { p.Fraud = payment.FraudAccept })
	case "settle":
		err = s.Settle(id)
	case "deny":
		err = s.Deny(id)
	case "expire":
		err = s.ExpirePayment(id)
	case "cancel":
		err = s.Change(id, func(p *Payment) { p.Status = payment.StatusCancel })
	case "chargeback":
		err = s.Change(id, func(p *Payment) { p.Status = payment.StatusChargeback })
	}

	return err
}
