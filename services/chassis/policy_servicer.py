"""Answers `batchpix.policy.v1.PolicyService`: the policy in force and the keys of receipts."""

from typing import Any

import grpc

from batchpix.policy.v1 import policy_pb2, policy_pb2_grpc
from services.chassis.policy import PrivacyPolicy
from services.chassis.receipts import ReceiptSigner


class PolicyServicer(policy_pb2_grpc.PolicyServiceServicer):
    """Tells every caller the same; nothing of the caller is read."""

    def __init__(self, policy: PrivacyPolicy, signer: ReceiptSigner) -> None:
        self._response = policy_pb2.GetPolicyResponse(
            version=policy.version,
            text=policy.text,
            feedback_address=policy.feedback_address,
            receipt_keys=[
                policy_pb2.ReceiptKey(
                    key_id=signer.key_id, public_key_pem=signer.public_key_pem.decode()
                )
            ],
        )
        self._response.effective.FromDatetime(policy.effective)

    async def GetPolicy(
        self,
        request: policy_pb2.GetPolicyRequest,  # noqa: ARG002  # gRPC's signature
        context: "grpc.aio.ServicerContext[Any, Any]",  # noqa: ARG002
    ) -> policy_pb2.GetPolicyResponse:
        """Fetch the policy in force."""
        return self._response
