namespace Wslrelay.Relaying;

/// <summary>Keeps a few <see cref="SetUp"/>s for the connections to come. Loop thread only.</summary>
internal sealed class SetUpPool<T>(Func<T> create)
    where T : SetUp
{
    private const int MaxKept = 64;

    private readonly Stack<T> _free = new();

    /// <summary>Set-ups rented and not yet returned.</summary>
    internal int RentedCount { get; private set; }

    internal T Rent()
    {
        RentedCount++;
        return _free.TryPop(out T? setUp) ? setUp : create();
    }

    internal void Return(T setUp)
    {
        RentedCount--;
        if (_free.Count < MaxKept)
            _free.Push(setUp);
    }
}
