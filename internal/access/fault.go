package access

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/plain"
)

// class is a family of failures that are treated alike.
type class int

const (
	unknown class = iota
	later         // refused before it was done; the same call may be answered later
	broken        // the service or the way to it failed; a change may have taken effect all the same
	denied        // the caller lacks the permission for the operation
	wrong         // a person must change the call, the account or a setting
	absent        // what was asked for is not there
)

// classOf is the table: every code that the operations in use have in their models, those that all services share ("Common
// errors" in each API reference) and EC2's, which are in no model ("Error codes for the Amazon EC2 API").
//
// CloudWatch speaks CBOR and still sends the codes of its old protocol (smithy: awsQueryCompatible), so both names of each are here.
func classOf(code string) class {
	switch code {
	// throttled
	case "Throttling", "ThrottlingException", "ThrottledException", "Throttled", "RequestThrottled", "RequestThrottledException",
		"TooManyRequestsException", "RequestLimitExceeded", "BandwidthLimitExceeded", "SlowDown", "EC2ThrottledException",
		"ProvisionedThroughputExceededException", "KMSThrottling",
		// busy with something else
		"ResourceInUseException", "ResourcePropagationDelayException", "ResourceConflict", "ConflictException",
		"ConcurrentModificationException", "PriorRequestNotComplete", "TransactionInProgressException",
		"ConditionalCheckFailedException", "TransactionCanceledException", "TransactionConflictException",
		"ReplicatedWriteConflictException", "BackupInUseException", "TableInUseException", "ExportConflictException", "ImportConflictException",
		// credentials or a page token that are to be had anew; the same codes tell of a region that is switched off
		"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "InvalidToken", "UnrecognizedClientException",
		"AuthFailure", "InvalidNextToken", "InvalidNextTokenException", "InvalidPaginationToken",
		// clocks that are apart: the SDK signs the next call with the service's time (retry.wrapAsClockSkew)
		"RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture", "InvalidSignatureException", "SignatureDoesNotMatch":
		return later

	case "ServerException", "ServiceUnavailable", "ServiceUnavailableException", "InternalFailure", "InternalError", "InternalException",
		"InternalServerError", "InternalServiceFault", "InternalServiceError", "InternalServiceException", "Unavailable",
		"RequestTimeout", "RequestTimeoutException":
		return broken

	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized":
		return denied

	// EKS
	case "BadRequestException", "ClientException", "InvalidParameterException", "InvalidRequestException", "InvalidStateException",
		"ResourceLimitExceededException", "UnsupportedAvailabilityZoneException",
		// CloudWatch
		"DashboardInvalidInputError", "InvalidParameterInput", "InvalidFormatFault", "InvalidFormat",
		"InvalidParameterCombinationException", "InvalidParameterCombination", "InvalidParameterValueException", "InvalidParameterValue",
		"KmsAccessDeniedException", "KmsKeyDisabledException", "KmsKeyNotFoundException",
		"LimitExceededException", "LimitExceededFault", "LimitExceeded", "MissingRequiredParameterException", "MissingParameter",
		// SNS: a topic or key that is gone is for a person to bring back, not nothing to do
		"EndpointDisabled", "InvalidParameter", "InvalidSecurity", "KMSAccessDenied", "KMSDisabled", "KMSInvalidState", "KMSNotFound",
		"KMSOptInRequired", "NotFound", "ParameterValueInvalid", "PlatformApplicationDisabled",
		// EventBridge
		"IllegalStatusException", "InvalidEventPatternException", "ManagedRuleException", "OperationDisabledException",
		"PolicyLengthExceededException", "ResourceAlreadyExistsException",
		// DynamoDB: its client's one registry has the errors of all operations, also of those that are never called
		"BackupNotFoundException", "ContinuousBackupsUnavailableException", "DuplicateItemException", "ExportNotFoundException",
		"GlobalTableAlreadyExistsException", "GlobalTableNotFoundException", "IdempotentParameterMismatchException",
		"ImportNotFoundException", "IndexNotFoundException", "InvalidEndpointException", "InvalidExportTimeException",
		"InvalidRestoreTimeException", "ItemCollectionSizeLimitExceededException", "PointInTimeRecoveryUnavailableException",
		"PolicyNotFoundException", "ReplicaAlreadyExistsException", "ReplicaNotFoundException", "TableAlreadyExistsException",
		"TableNotFoundException",
		// CloudTrail
		"InvalidEventCategoryException", "InvalidLookupAttributesException", "InvalidMaxResultsException", "InvalidTimeRangeException",
		"OperationNotPermittedException", "UnsupportedOperationException",
		// STS
		"MalformedPolicyDocument", "PackedPolicyTooLarge", "RegionDisabledException",
		// EC2
		"Blocked", "FilterLimitExceeded", "InvalidAction", "InvalidCharacter", "InvalidFilter", "InvalidInput", "InvalidQueryParameter",
		"MalformedQueryString", "MissingAction", "PendingVerification", "UnknownParameter", "UnsupportedOperation",
		"UnsupportedProtocol", "ValidationError",
		// all of them
		"IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
		"OptInRequired", "UnknownOperationException", "ValidationException":
		return wrong

	case "ResourceNotFoundException", "ResourceNotFound", "NotFoundException", "DashboardNotFoundError",
		"InvalidInstanceID.NotFound", "InvalidSubnetID.NotFound", "InvalidVpcID.NotFound":
		return absent
	}
	return unknown
}

// expired reports whether a code says that the caller's credentials have expired. RequestExpired is EC2's word for it, and for a
// clock that is wrong (EC2 API reference, "Error codes for the Amazon EC2 API").
func expired(code string) bool {
	return code == "ExpiredToken" || code == "ExpiredTokenException" || code == "RequestExpired"
}

// Fault classifies the error of one SDK call; nil for nil. Op is the call's IAM action, as "eks:DescribeAddon": the action that
// is missing when access was denied. Where the role could not be assumed, the operation is sts:AssumeRole and the text names the role.
//
// A code that is not in the table is Terminal, unless the service answered 429 or 5xx. Without a code there was no answer that
// could be understood (a time-out, a cut connection), which is Retry, and in doubt for a call that changes something.
func Fault(op string, err error) *fault.Fault {
	if err == nil {
		return nil
	}
	f := &fault.Fault{Op: op, Text: plain.Clean(err.Error(), plain.Text)}
	var api smithy.APIError
	if errors.As(err, &api) {
		f.Code, f.Text = plain.Clean(api.ErrorCode(), plain.Text), plain.Clean(api.ErrorMessage(), plain.Text)
	}
	var assuming interface{ AssumedRole() string }
	if errors.As(err, &assuming) {
		f.Op = "sts:AssumeRole"
		if api != nil {
			f.Text = "assume role " + assuming.AssumedRole() + ": " + f.Text
		}
	}
	switch classify(err, api) {
	case later:
		f.Kind = fault.Retry
	case broken:
		f.Kind, f.InDoubt = fault.Retry, changes(f.Op)
	case denied:
		f.Kind, f.Need = fault.Terminal, f.Op
	case absent:
		f.Kind = fault.Skip
		if strings.HasPrefix(f.Op, "dynamodb:") { // it is the table that is not there; an item that is not is no error
			f.Kind = fault.Terminal
		}
	default:
		f.Kind = fault.Terminal
	}
	if api != nil {
		fromText(f, api.ErrorMessage())
	}
	return f
}

// fromText is the one place where a text tells what a code does not. The kind of a fault never rests on it: a text that EKS writes anew one
// day is shown as it is, under what its code says. EKS has one code for every parameter that it refuses (facts-eks-vpc-cni.md, 2.2), and names
// the caller's action where the role that is passed is what was denied.
func fromText(f *fault.Fault, text string) {
	switch {
	case f.Op != "eks:UpdateAddon":
	case f.Code == "InvalidParameterException" && strings.Contains(text, "1 minor version at a time"):
		f.Cause = fault.OneMinor
	case f.Denied() && strings.Contains(text, "perform: iam:PassRole"):
		f.Need = "iam:PassRole"
	}
}

func classify(err error, api smithy.APIError) class {
	if api != nil {
		return classifyAnswer(err, api)
	}
	var invalid smithy.InvalidParamsError
	var unwritable *smithy.SerializationError
	if errors.As(err, &invalid) || errors.As(err, &unwritable) {
		return wrong // it was never sent
	}
	return broken
}

func classifyAnswer(err error, api smithy.APIError) class {
	if c := classOf(api.ErrorCode()); c != unknown {
		return c
	}
	status := 0
	var answer interface{ HTTPStatusCode() int }
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
	}
	switch {
	case status == http.StatusTooManyRequests:
		return later
	case status >= 500:
		return broken
	}
	return unknown
}

// changes reports whether an operation changes anything, so that it matters whether it took effect.
func changes(op string) bool {
	_, verb, _ := strings.Cut(op, ":")
	for _, read := range []string{"Describe", "List", "Get", "Lookup", "Assume", "BatchGet", "Query", "Scan"} {
		if strings.HasPrefix(verb, read) {
			return false
		}
	}
	return true
}
