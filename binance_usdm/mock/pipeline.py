"""Process one request: fault, ban, route, weight, checks, response, log."""

from __future__ import annotations

from functools import partial

from binance_usdm.mock.core.http_date import format_http_date
from binance_usdm.mock.core.query import Query
from binance_usdm.mock.core.response import Reply, error_response, html_response, json_ok_response
from binance_usdm.mock.faults.fault import FaultContext
from binance_usdm.mock.faults.queue import FaultQueue, QueuedFault
from binance_usdm.mock.spec.api_spec import ApiSpec
from binance_usdm.mock.spec.operation import Operation
from binance_usdm.mock.state.accounts import Account
from binance_usdm.mock.state.delivery_network import pass_on
from binance_usdm.mock.state.request_log import BODY_LIMIT, Headers, Logged
from binance_usdm.mock.state.state import State
from binance_usdm.mock.state.stubs import StubOperation
from binance_usdm.mock.verify.checks import RequestContext, run_checks
from binance_usdm.mock.verify.rejection import RejectionError


class Pipeline:
    """The steps that every request goes through, over the state since the last reset.

    The steps, in order:

    1. A queued fault responds instead of all other steps.
    2. A ban rejects the request with 418.
    3. An unknown path or method is rejected.
    4. Weight is charged, which may end in 429 or 418.
    5. A failed check of `verify.checks` rejects the request.
    6. The body that was set for the account is sent, or the spec's first example.

    The checks run before the other steps, so that the log has their result in any case.

    Args:
        spec: Operations of the exchange.
        state: State since the last reset.
        fault_queue: Faults that wait for requests.
    """

    def __init__(self, spec: ApiSpec, state: State, fault_queue: FaultQueue) -> None:
        self._spec = spec
        self._state = state
        self._fault_queue = fault_queue

    def handle_request(
        self, method: str, target: bytes, headers: Headers, body: bytes, address: str
    ) -> Reply:
        """Respond to a request, and add it to the request log.

        Args:
            method: HTTP method.
            target: Raw path with query.
            headers: Header names and values, as they were sent.
            body: Raw body.
            address: IP address of the client, in the form of `normalize_ip`.
        """
        context = self._check_request(method, target, headers, body, address)
        operation_id = context.operation.id if context.operation else None
        fault = self._fault_queue.match(operation_id, context.path, context.api_key)
        if fault is None:
            reply = self._respond(context)
        else:
            reply = self._respond_with_fault(context, fault)
        # A custom response is sent as it is.
        if fault is None or fault.name != "reply":
            reply = self._with_date(context, reply)
        self._state.request_log.add(self._log_entry(context, reply, fault))
        return pass_on(reply, headers, self._state.switches)

    def _check_request(
        self, method: str, target: bytes, headers: Headers, body: bytes, address: str
    ) -> RequestContext:
        state = self._state
        raw_path, _, raw_query = target.partition(b"?")
        path = raw_path.decode("latin-1")
        query = Query.parse(raw_query)
        operation = self._spec.find_operation(method, path)
        if operation is None and (stub := state.stubs.get((method, path))) is not None:
            operation = stub.choose_operation(query, headers)
        key_header = operation.key_header if operation else None
        # A loop, since the function of a comprehension costs more than its body (Python 3.11). Two
        # key headers are one malformed key.
        api_keys = []
        for name, value in headers:
            if name.lower() == key_header:
                api_keys.append(value)
        api_key = b", ".join(api_keys).decode("latin-1")
        context = RequestContext(
            method,
            path,
            query,
            headers,
            body,
            address,
            operation,
            api_key,
            state.keys,
            state.clock(),
            state.switches,
        )
        if operation is None:
            return context
        context.path_values = operation.path_values(path)
        if state.switches.refuse_replay and operation.signature is not None:
            signature = query.first_values.get(operation.signature)
            context.is_replay = state.remember_signature(signature)
        try:
            run_checks(context, operation)
        except RejectionError as rejection:
            context.rejection = rejection
        return context

    def _respond(self, context: RequestContext) -> Reply:
        context.is_routed = True
        state = self._state
        operation = context.operation
        counter = state.counter_for(context.address)
        if operation is None:
            reply = counter.ban_response(context.now, state.switches)
            return self._not_found_response(context) if reply is None else reply
        weight = operation.weight_of(context.query.first_values, context.path_values)
        reply = counter.charge(weight, context.now, state.switches)
        rejection = context.rejection
        if reply is None and rejection is not None:
            reply = error_response(rejection.status(state.switches), rejection.code, rejection.text)
        if reply is None:
            account = context.key.account if context.key else state.account
            body = self._response_body(operation, account, context.now, is_response=True)
            return json_ok_response(body, self._weight_headers(context))
        return self._with_weight_header(context, reply)

    def _respond_with_fault(self, context: RequestContext, fault: QueuedFault) -> Reply:
        state = self._state
        operation = context.operation
        # A fault also responds to a key that lacks a permission.
        key = state.keys.get(context.api_key)
        account = key.account if key else state.account
        body = self._response_body(operation, account, context.now) if operation else b"{}"
        respond = partial(self._respond, context)
        fault_context = FaultContext(
            body, context.now, state.switches, context.path, respond, self._spec.errors, state.rng
        )
        reply = fault.respond(fault_context)
        if operation is None or not fault.fault.costs_weight or reply.status >= 500:
            return reply
        weight = operation.weight_of(context.query.first_values, context.path_values)
        state.counter_for(context.address).add(weight, context.now)
        return self._with_weight_header(context, reply)

    def _not_found_response(self, context: RequestContext) -> Reply:
        """Return the response to an unknown path or method.

        It costs no weight and has no weight header.
        """
        switches = self._state.switches
        methods = self._spec.allowed_methods(context.path)
        status = switches.wrong_method if methods else 404
        if switches.not_found == "html" and status == 404:
            return html_response(404, "Not found")
        text = f"Path {context.path}, Method {context.method} is invalid"
        reply = error_response(status, -5000, text)
        if status == 405:
            reply = reply.with_header(b"Allow", ", ".join(methods).encode())
        return reply

    def _response_body(
        self, operation: Operation, account: Account, now: int, *, is_response: bool = False
    ) -> bytes:
        """Return the 200 body of an operation.

        Args:
            operation: Operation of the spec, or of a stub.
            account: Account whose body it is.
            now: Time in ms.
            is_response: Whether the body is sent as it is, which counts for scheduled bodies.
        """
        if self._state.schedule.by_target:
            self._state.apply_schedule(operation, account, now, is_response=is_response)
        if isinstance(operation, StubOperation):
            return self._state.stubs[operation.method, operation.path].body
        seeded = account.response_bodies.get(operation.id)
        body = seeded
        if body is None:
            body = self._spec.example_body(operation, now, account.alias)
        if not account.futures_enabled and self._state.switches.unopened == "empty":
            return b"[]" if body[:1] == b"[" else body
        return body

    def _with_weight_header(self, context: RequestContext, reply: Reply) -> Reply:
        for header in self._weight_headers(context):
            reply = reply.with_header(*header)
        return reply

    def _weight_headers(self, context: RequestContext) -> Headers:
        if not self._state.switches.used_weight:
            return ()
        return ((b"X-MBX-USED-WEIGHT-1M", b"%d" % self._state.counter_for(context.address).used),)

    def _with_date(self, context: RequestContext, reply: Reply) -> Reply:
        """Return the response with the mock's time, as far as the switch allows it."""
        offset = self._state.switches.date_offset
        if offset is None:
            return reply
        date = format_http_date(context.now // 1000 + offset)
        return reply if date is None else reply.with_header(b"Date", date)

    def _log_entry(
        self, context: RequestContext, reply: Reply, fault: QueuedFault | None
    ) -> Logged:
        operation = context.operation
        rejection = context.rejection
        reason = "" if rejection is None else rejection.reason
        # A fault that answers instead of the route makes a path known.
        if operation is None and context.is_routed:
            reason = "unknown path or method"
        body = context.body if operation else context.body[:BODY_LIMIT]
        # Positional, since keywords take half as long again.
        return Logged(
            self._state.request_log.total + 1,
            context.now,
            context.address,
            context.method,
            context.path,
            reply.status,
            reply.code,
            operation.id if operation else None,
            fault.name if fault else None,
            reason,
            context.api_key,
            context.query.raw,
            context.headers,
            body,
            operation.signature if operation else None,
            reply.body[:BODY_LIMIT],
            None if rejection is None else rejection.code,
        )
