namespace Wslrelay.Relaying;

/// <summary>What comes next in a <see cref="GuestGreeting"/>.</summary>
internal enum GreetingStep
{
    /// <summary>Run <see cref="GuestGreeting.Next"/> on the lane to the target.</summary>
    MoreToTarget,

    /// <summary>The greeting is sent: the client's bytes may follow; run <see cref="GuestGreeting.Next"/> on the lane to the client.</summary>
    Greeted,

    /// <summary>The greeting is sent, and no answer comes.</summary>
    GreetedForGood,

    /// <summary>Run <see cref="GuestGreeting.Next"/> on the lane to the client.</summary>
    MoreToClient,

    /// <summary>The agent has reached the server: its bytes follow.</summary>
    Accepted,

    /// <summary>The agent says no, or nothing sensible: <see cref="GuestGreeting.Refusal"/> says why.</summary>
    Refused,
}
