package v1alpha1

// ConditionCouponRefused is True on a TopUp that was credited and whose coupon added nothing. Negative polarity.
const ConditionCouponRefused = "CouponRefused"

// Reasons of TopUps, Refunds and Coupons.
const (
	// ReasonInvalidAmount: spec.amount cannot be paid, or is not what the plan allows.
	ReasonInvalidAmount = "InvalidAmount"
	// ReasonTooManyPending: as many payments of the tenant are open as its plan allows.
	ReasonTooManyPending = "TooManyPending"
	// ReasonClosing: the TopUp is being deleted, and its page or its payment has to end first.
	ReasonClosing = "Closing"
	// ReasonSettling: the payment is not settled. A TopUp that is being deleted goes after that; a part of it goes back after
	// that.
	ReasonSettling = "Settling"
	// ReasonManualOnly: the way it was paid has no way back at the gateway.
	ReasonManualOnly = "ManualOnly"
	// ReasonRedeemable: the coupon can be redeemed.
	ReasonRedeemable = "Redeemable"
	// ReasonCouponExpired: the coupon was valid until spec.validUntil.
	ReasonCouponExpired = "Expired"
	// ReasonUsedUp: the coupon was redeemed as often as it can be.
	ReasonUsedUp = "UsedUp"
	// ReasonDuplicateCode: another coupon has the same code, and comes first.
	ReasonDuplicateCode = "DuplicateCode"
)

// AnnotationReviewed on a TopUp is the platform's word that it has looked at what the condition NeedsReview shows. Its value is
// the code at the end of the condition's message, so that it is about exactly that.
const AnnotationReviewed = "dogker.io/reviewed"

// AnnotationResolve on a Refund is the platform's word for what became of it, where the gateway does not say: ResolvePosted
// or ResolveVoided.
const AnnotationResolve = "dogker.io/resolve"

// Values of AnnotationResolve.
const (
	// ResolvePosted: the payer has the money.
	ResolvePosted = "Posted"
	// ResolveVoided: the payer does not have it and will not get it.
	ResolveVoided = "Voided"
)
