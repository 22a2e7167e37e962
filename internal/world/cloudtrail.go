package world

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

// trailDetail is what CloudTrail says of a call of EKS, going by captured events (radkawar/stackd,
// addon_healthy_worker_events_native.json): the cluster is only in requestParameters, as "name".
type trailDetail struct {
	EventVersion       string         `json:"eventVersion"`
	UserIdentity       trailIdentity  `json:"userIdentity"`
	EventTime          time.Time      `json:"eventTime"`
	EventSource        string         `json:"eventSource"`
	EventName          string         `json:"eventName"`
	AWSRegion          string         `json:"awsRegion"`
	SourceIPAddress    string         `json:"sourceIPAddress"`
	UserAgent          string         `json:"userAgent"`
	ErrorCode          string         `json:"errorCode,omitempty"`
	RequestParameters  map[string]any `json:"requestParameters"`
	ResponseElements   map[string]any `json:"responseElements"`
	RequestID          string         `json:"requestID"`
	EventID            string         `json:"eventID"`
	ReadOnly           bool           `json:"readOnly"`
	EventType          string         `json:"eventType"`
	ManagementEvent    bool           `json:"managementEvent"`
	RecipientAccountID string         `json:"recipientAccountId"`
	EventCategory      string         `json:"eventCategory"`
}

type trailIdentity struct {
	Type      string       `json:"type"`
	ARN       string       `json:"arn"`
	AccountID string       `json:"accountId"`
	Session   trailSession `json:"sessionContext"`
	InvokedBy string       `json:"invokedBy,omitempty"`
}

type trailSession struct {
	Issuer trailIssuer `json:"sessionIssuer"`
}

type trailIssuer struct {
	ARN string `json:"arn"` // of the role
}

// caller is who makes a call, and with what.
type caller struct {
	principal string
	agent     string // user agent, or the AWS service that makes the call for somebody; empty: something that nobody knows
}

// heard is what CloudTrail says of a call of EKS.
func (w *World) heard(id cluster.ID, by caller, op string, request, response map[string]any) trailDetail {
	d := trailDetail{
		EventVersion: "1.11", EventTime: w.Now().UTC().Truncate(time.Second),
		UserIdentity: trailIdentity{Type: "AssumedRole", ARN: by.principal, AccountID: id.Account, Session: trailSession{trailIssuer{by.principal}}},
		EventSource:  "eks.amazonaws.com", EventName: op, AWSRegion: id.Region, SourceIPAddress: "203.0.113.10", UserAgent: cmp.Or(by.agent, "world"),
		RequestParameters: request, ResponseElements: response,
		RequestID: w.uuid(), EventID: w.uuid(),
		EventType: "AwsApiCall", ManagementEvent: true, RecipientAccountID: id.Account, EventCategory: "Management",
	}
	if strings.HasSuffix(by.agent, ".amazonaws.com") { // of such calls only the service is told (events/update-addon-by-eks.json)
		d.SourceIPAddress, d.UserIdentity.InvokedBy = by.agent, by.agent
	}
	return d
}

// trail keeps what CloudTrail says of a mutating eks call that was accepted, as "UpdateAddon", and publishes it: best effort.
func (w *World) trail(id cluster.ID, by caller, op string, request, response map[string]any) {
	d := w.heard(id, by, op, request, response)
	w.remember(id, d)
	w.publish(envelope{
		DetailType: "AWS API Call via CloudTrail", Source: "aws.eks", Account: id.Account, Region: id.Region, Time: d.EventTime, Detail: encode(d),
	}, bestEffort)
}

// addonEvent publishes EKS's own event of an add-on, as "EKS Addon Update Succeeded", if Behaviour.AddonEvents: best effort.
// Its shape is published nowhere; each event has one of those that a reader must bear: the cluster named in the resources,
// in the detail, in both, and nowhere.
func (w *World) addonEvent(id cluster.ID, detailType string) {
	if !w.spec.Behaviour.AddonEvents {
		return
	}
	e := envelope{DetailType: detailType, Source: "aws.eks", Account: id.Account, Region: id.Region, Detail: json.RawMessage("{}")}
	shape := w.rand.IntN(4)
	if shape&1 != 0 {
		e.Resources = []string{id.ARN()}
	}
	if shape&2 != 0 {
		e.Detail = encode(map[string]string{"clusterName": id.Name, "addonName": "vpc-cni"})
	}
	w.publish(e, bestEffort)
}

// encode writes what is known to be JSON.
func encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("world: write %T: %v", v, err))
	}
	return raw
}
