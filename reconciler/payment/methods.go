package payment

import "slices"

// Method is a way to pay. The names on a page, which Methods lists, are finer than those in a Status: bca_va and
// permata_va are both paid as bank_transfer.
type Method string

// Methods are the ways to pay that a page can be limited to.
var Methods = []Method{
	"credit_card", "gopay", "shopeepay", "other_qris", "dana", "ovo",
	"bca_va", "bni_va", "bri_va", "cimb_va", "permata_va", "other_va", "echannel",
	"bca_klikpay", "bca_klikbca", "bri_epay", "cimb_clicks", "danamon_online", "uob_ezpay",
	"indomaret", "alfamart", "akulaku", "kredivo",
}

// Valid is true for a method that a page can be limited to.
func (m Method) Valid() bool { return slices.Contains(Methods, m) }

// Route is the way in which money goes back to a payer.
type Route string

// The routes.
const (
	// RouteNone: there is nothing to give back, or not yet.
	RouteNone Route = "None"
	// RouteCancel: the payment is not settled; all of it is voided by Cancel.
	RouteCancel Route = "Cancel"
	// RouteDirect: the gateway asks the payer's bank at once and answers with what it said.
	RouteDirect Route = "Direct"
	// RouteOnline: the gateway takes the refund and settles it within a day or two.
	RouteOnline Route = "Online"
	// RouteManual: the method has no way back. An administrator pays by other means and leaves evidence.
	RouteManual Route = "Manual"
)

// routes of methods that have a way back, by their names in a Status. Whether it is open, for how long after the payment
// and at which time of the day, differs between banks and between the gateway's own documents: its answer decides.
var routes = map[Method]Route{
	"credit_card": RouteDirect,
	"gopay":       RouteDirect,
	"qris":        RouteDirect,
	"shopeepay":   RouteDirect,
	"akulaku":     RouteDirect,
	"kredivo":     RouteDirect,
	"dana":        RouteOnline,
	"ovo":         RouteOnline,
}

// RefundRoute is the way back for a payment as it stands.
func RefundRoute(s Status) Route {
	switch s.Transaction {
	case StatusPending, StatusAuthorize, StatusCapture:
		return RouteCancel
	case StatusSettlement, StatusPartialRefund:
		if route, ok := routes[s.Type]; ok {
			return route
		}

		return RouteManual
	default:
		return RouteNone
	}
}
